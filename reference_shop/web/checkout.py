"""Address, vouchers, payment, confirmation, order history, and sending an order back."""

import re
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from reference_shop.domain.errors import CheckoutExpired, InvalidInput, NotFound, PaymentUnresolved
from reference_shop.domain.orders import Address, Buyer
from reference_shop.domain.vouchers import MAX_CODE_CHARACTERS
from reference_shop.services.carts import Carts
from reference_shop.services.checkout import CheckoutDesk
from reference_shop.services.returns import Returns
from reference_shop.web.cookies import CART_COOKIE, token_in
from reference_shop.web.forms import Form, read_form
from reference_shop.web.pages import Pages, see_other
from reference_shop.web.visitors import Visitors

_PHONE = re.compile(r"(\+62|0)[0-9]{8,13}")
_POSTCODE = re.compile(r"[0-9]{5}")
_CARD_TOKEN = re.compile(r"tok_[a-z0-9_]{3,40}")
_VOUCHER = re.compile(rf"[A-Za-z0-9-]{{0,{MAX_CODE_CHARACTERS}}}")
_MAX_TOTAL_IDR = 999_999_999_999
_ORDER_ID = re.compile(r"[1-9][0-9]{0,17}")


class CheckoutPages:
    """Handlers of everything between cart and confirmation."""

    def __init__(self, desk: CheckoutDesk, returns: Returns, carts: Carts, visitors: Visitors, pages: Pages) -> None:
        """Use this desk."""
        self._desk = desk
        self._returns = returns
        self._carts = carts
        self._visitors = visitors
        self._pages = pages

    async def address_form(self, request: Request) -> Response:
        """Answer `/checkout`, filled with the address given before."""
        cart = await self._carts.load(token_in(request, CART_COOKIE))
        if not cart.lines:
            return see_other("/cart")
        address = await self._desk.address_of(cart.cart_id)
        return self._pages.personal(request, "checkout.html", cart=cart, address=address, problems={})

    async def save_address(self, request: Request) -> Response:
        """Answer POST `/checkout`."""
        form = await read_form(request)
        address = _address_in(form)
        cart = await self._carts.load(token_in(request, CART_COOKIE))
        if form.problems:
            return self._pages.personal(
                request, "checkout.html", 400, cart=cart, address=address, problems=form.problems
            )
        if not cart.lines:
            raise CheckoutExpired("Keranjang Anda kosong.")
        await self._desk.save_address(cart.cart_id, address)
        return see_other("/checkout/payment")

    async def payment_form(self, request: Request) -> Response:
        """Answer `/checkout/payment`: the form carries the idempotency key of the payment to come."""
        cart_id = await self._carts.find_id(token_in(request, CART_COOKIE))
        if cart_id is None:
            return see_other("/cart")
        try:
            form = await self._desk.payment_form(cart_id)
        except CheckoutExpired:
            return see_other("/checkout")
        except PaymentUnresolved as unresolved:
            return see_other(f"/orders/{unresolved.order_id}/confirmation")
        return self._pages.personal(
            request,
            "payment.html",
            checkout=form.checkout,
            cart=form.cart,
            bill=form.bill,
            coupon_code=form.coupon_code,
        )

    async def set_vouchers(self, request: Request) -> Response:
        """Answer POST `/checkout/voucher` (coupon, gift_card; an empty one takes it off, one left out stays)."""
        form = await read_form(request)
        codes = [
            form.matching(name, _VOUCHER, "Kode ini tidak dikenal.") if name in form.values else None
            for name in ("coupon", "gift_card")
        ]
        form.check()
        cart_id = await self._carts.find_id(token_in(request, CART_COOKIE))
        if cart_id is None:
            raise CheckoutExpired
        await self._desk.set_vouchers(cart_id, *codes)
        return see_other("/checkout/payment")

    async def pay(self, request: Request) -> Response:
        """Answer POST `/checkout/payment` (idempotency_key, card_token, total_idr): the redirect acknowledges."""
        form = await read_form(request)
        key = _key_in(form)
        card_token = form.matching("card_token", _CARD_TOKEN, "Pilih kartu untuk membayar.")
        agreed_idr = form.number("total_idr", "Total", 1, _MAX_TOTAL_IDR) if "total_idr" in form.values else None
        form.check()
        visitor = await self._visitors.recognise(request)
        if visitor.cart_id is None:
            raise CheckoutExpired
        order = await self._desk.pay(Buyer(visitor.cart_id, visitor.account_id), key, card_token, agreed_idr)
        return see_other(f"/orders/{order.order_id}/confirmation")

    async def confirmation(self, request: Request) -> Response:
        """Answer `/orders/{order_id}/confirmation`, to the order's owner only."""
        order_id = _order_id_in(request)
        visitor = await self._visitors.recognise(request)
        placed = await self._desk.find_order(order_id, visitor.cart_id, visitor.account_id)
        return self._pages.personal(
            request, "confirmation.html", order=placed.order, lines=placed.lines, address=placed.address
        )

    async def send_back(self, request: Request) -> Response:
        """Answer POST `/orders/{order_id}/return`, from the order's owner only."""
        order_id = _order_id_in(request)
        visitor = await self._visitors.recognise(request)
        order = await self._returns.send_back(order_id, visitor.cart_id, visitor.account_id)
        return see_other(f"/orders/{order.order_id}/confirmation")

    async def history(self, request: Request) -> Response:
        """Answer `/orders`: the account's orders, or those of this cart for a guest."""
        visitor = await self._visitors.recognise(request)
        orders = await self._desk.history(visitor.cart_id, visitor.account_id)
        return self._pages.personal(request, "orders.html", orders=orders, account=visitor.account)


def _address_in(form: Form) -> Address:
    return Address(
        recipient=form.text("recipient", "Nama penerima", 100, 2),
        phone=form.matching("phone", _PHONE, "Nomor telepon harus diawali 0 atau +62."),
        street=form.text("street", "Alamat", 200, 5),
        city=form.text("city", "Kota", 80, 2),
        province=form.text("province", "Provinsi", 80, 2),
        postcode=form.matching("postcode", _POSTCODE, "Kode pos terdiri dari 5 angka."),
    )


def _order_id_in(request: Request) -> int:
    text = request.path_params["order_id"]
    if not _ORDER_ID.fullmatch(text):
        raise NotFound("Pesanan ini tidak ada.")
    return int(text)


def _key_in(form: Form) -> UUID:
    try:
        return UUID(form.values.get("idempotency_key", ""))
    except ValueError:
        raise InvalidInput({"idempotency_key": "Formulir pembayaran ini tidak lengkap."}) from None
