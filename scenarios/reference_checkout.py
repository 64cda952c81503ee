"""The bundled shop from address to order and back: forms, what is checked of each answer, what goes into the ledger."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, replace

from scenarios import reference_personal as personal
from scenarios import reference_replies as replies
from scenarios.attempts import Attempt, attempt
from scenarios.outcomes import Outcome
from scenarios.reference_visitor import Bought, ReferenceVisitor
from scenarios.storefront import Address, Page

_GONE = replies.Sent(Outcome.RESERVATION_EXPIRED)


class ReferenceCheckout(ReferenceVisitor):
    """What a shopper with something in the cart does to buy it."""

    def checkout(self) -> Page:
        """`/checkout`: the address form."""
        page = self._show("checkout", "/checkout", self._unless_gone(personal.read_address_form, _gone("checkout")))
        return self._reached("checkout", page, page.ok)

    def send_address(self, address: Address) -> Page:
        """Sends `/checkout`, then shows the payment form."""
        reader = self._unless_gone(replies.read_sent("/checkout/payment"), _GONE)
        sent = self._browser.send("checkout", "/checkout", asdict(address), reader)
        if sent is None or sent.outcome is not Outcome.OK:
            return self._not_taken("checkout", sent)
        self._recipient = address.recipient
        return self._payment_form(redirected=True)

    def payment_form(self) -> Page:
        """`/checkout/payment`: the form with the idempotency key and the amount."""
        return self._payment_form(redirected=False)

    def use_vouchers(self, coupon: str, gift_card: str) -> Page:
        """Sends `/checkout/voucher`, then shows the payment form: with its new total, or as it was when refused."""
        reader = self._unless_gone(replies.read_sent("/checkout/payment"), _GONE)
        codes = {"coupon": coupon, "gift_card": gift_card}
        sent = self._browser.send("payment", "/checkout/voucher", codes, reader)
        if sent is None or sent.outcome not in {Outcome.OK, Outcome.VOUCHER_REFUSED}:
            return self._not_taken("payment", sent)
        return self._payment_form(redirected=True)

    def pay(self, form: Page, *, card: str) -> Page:
        """Sends `/checkout/payment`, then shows the confirmation of the same order and the same amount."""
        fields = {
            "idempotency_key": form.idempotency_key or "",
            "card_token": card,
            "total_idr": str(form.amount_idr or 0),
        }
        with attempt(
            self._session,
            "place_order",
            idempotency_key=form.idempotency_key,
            amount_idr=form.amount_idr,
            items=self._basket.lines,
        ) as made:
            reader = self._unless_gone(replies.read_payment, _GONE)
            sent = self._browser.send("payment", "/checkout/payment", fields, reader)
            self._paid(made, sent, form)
        if sent is None or sent.order_id is None:
            return self._not_taken("payment", sent)
        return replace(self._show_order(sent.order_id, ("paid",)), order_id=sent.order_id)

    def send_back(self, order_id: int) -> Page:
        """Sends `/orders/{id}/return`, then shows the order on its way back."""
        bought = self._bought[order_id]
        with attempt(
            self._session, "return_order", order_id=order_id, amount_idr=bought.amount_idr, items=bought.lines or ()
        ) as made:
            reader = replies.read_sent(f"/orders/{order_id}/confirmation")
            sent = self._browser.send("confirmation", f"/orders/{order_id}/return", {}, reader)
            self._conclude(made, sent)
        if sent is None or sent.outcome is not Outcome.OK:
            return self._not_taken("confirmation", sent)
        return self._show_order(order_id, ("returning", "returned"))

    def _payment_form(self, *, redirected: bool) -> Page:
        reader = personal.read_payment_form(self._holds, self._recipient)
        page = self._show_content("payment", "/checkout/payment", reader, redirected=redirected)
        return self._reached("payment", page, page.ok)

    def _paid(self, made: Attempt, sent: replies.Sent | None, form: Page) -> None:
        """Enter what became of a payment, and remember the order that was acknowledged."""
        taken = self._conclude(made, sent)
        if made.outcome == "unknown" or (sent is not None and sent.outcome is Outcome.PAYMENT_DECLINED):
            self._all_orders_known = False  # an order may stand in the history whose number nobody was told
        if made.outcome == "unknown":
            self._basket.sure = False
        if taken and sent is not None and sent.order_id is not None:
            lines = self._basket.lines if self._basket.sure else None
            self._bought[sent.order_id] = Bought(form.amount_idr, lines, self._owner, self._recipient)
            self._basket.clear()
            self._session.reached("paid")

    def _show_order(self, order_id: int, states: Collection[str]) -> Page:
        bought = self._bought[order_id]
        reader = personal.read_confirmation(
            order_id, bought.amount_idr, states=states, lines=bought.lines, recipient=bought.recipient
        )
        return self._show("confirmation", f"/orders/{order_id}/confirmation", reader, redirected=True)


def _gone(kind: str) -> Page:
    return Page(kind, Outcome.RESERVATION_EXPIRED)
