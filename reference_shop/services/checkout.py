"""From address to paid order, in three steps that no crash can tear:

1. *place* (one transaction): the order is written as pending under its idempotency key, its vouchers are spent and its
   stock is reserved;
2. *charge*: the provider is asked with that key. No lock and no database connection is held meanwhile;
3. *settle* (one transaction): the order becomes paid, or cancelled with stock and vouchers given back.

Only what step 3 made durable is acknowledged. A crash after 1 or 2 leaves a pending order; `reconciliation` settles it.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast
from uuid import UUID, uuid4

from reference_shop import metrics
from reference_shop.domain.errors import (
    CheckoutExpired,
    NotFound,
    OutOfStock,
    PaymentDeclined,
    PaymentsUnavailable,
    PaymentUnresolved,
    PriceChanged,
    ReservationExpired,
    SaleLimit,
    VoucherRefused,
)
from reference_shop.domain.orders import Address, Buyer, Cart, Checkout, Line, Order, OrderState, PlacedOrder
from reference_shop.domain.payments import ChargeRequest, ChargeState, KeyReused, PaymentProvider
from reference_shop.domain.sales import Reservation
from reference_shop.domain.stock import Movement
from reference_shop.domain.vouchers import Bill, bill
from reference_shop.repository import carts, locks, orders, sales, stock, vouchers
from reference_shop.repository.database import Connection, Database
from reference_shop.services.carts import counting_stock_outs
from reference_shop.services.settlement import settle

# Longer than a charge and the question after it may take, so that reconciliation does not race a healthy worker.
PENDING_AFTER_S = 10.0
_HISTORY_LENGTH = 50
_OTHER_PAYMENT = "Formulir ini sudah dipakai untuk pembayaran lain. Mulai lagi dari keranjang."


class CheckoutDesk:
    """Use cases of checkout."""

    def __init__(self, database: Database, provider: PaymentProvider, pending_after_s: float = PENDING_AFTER_S) -> None:
        """Work on this database and provider; an order still pending after `pending_after_s` is reconciled."""
        self._database = database
        self._provider = provider
        self._pending_after_s = pending_after_s

    async def address_of(self, cart_id: int) -> Address | None:
        """Return the address given before, to fill the form again."""
        async with self._database.connection() as connection:
            return await carts.last_address(connection, cart_id)

    async def save_address(self, cart_id: int, address: Address) -> None:
        """Open the checkout of a cart that holds something; raises CheckoutExpired for an empty one."""
        async with self._database.transaction() as connection:
            if await carts.line_count(connection, cart_id) == 0:
                raise CheckoutExpired("Keranjang Anda kosong.")
            await carts.save_checkout(connection, Checkout(cart_id, uuid4(), address))

    async def payment_form(self, cart_id: int) -> "PaymentForm":
        """Return the open checkout with a key that was not used yet; raises CheckoutExpired, PaymentUnresolved."""
        async with self._database.connection() as connection:
            checkout = await carts.find_checkout(connection, cart_id)
            used = await orders.find_by_key(connection, checkout.key) if checkout else None
            if used is not None and used.state is OrderState.PENDING:
                raise PaymentUnresolved(used.order_id)
            if used is not None:
                await carts.replace_key(connection, cart_id, used.key, uuid4())
                checkout = await carts.find_checkout(connection, cart_id)
            cart = await carts.load(connection, cart_id)
            if checkout is None or not cart.lines:
                raise CheckoutExpired
            found = await vouchers.of_checkout(connection, checkout.coupon_id, checkout.gift_card_id)
        return PaymentForm(checkout, cart, bill(cart.total_idr, *found), found[0].code if found[0] else "")

    async def set_vouchers(self, cart_id: int, coupon_code: str | None, gift_card_code: str | None) -> None:
        """Put a coupon and a gift card on the open checkout; an empty code takes one off, None leaves it.

        Raises VoucherRefused, and changes nothing, for one that is unknown or used up; CheckoutExpired without a
        checkout.
        """
        async with self._database.transaction() as connection:
            checkout = await locks.lock_checkout(connection, cart_id)
            if checkout is None:
                raise CheckoutExpired
            coupon_id, gift_card_id = checkout.coupon_id, checkout.gift_card_id
            if coupon_code is not None:
                coupon_id = await _usable_coupon(connection, coupon_code) if coupon_code else None
            if gift_card_code is not None:
                gift_card_id = await _usable_gift_card(connection, gift_card_code) if gift_card_code else None
            await carts.set_vouchers(connection, cart_id, coupon_id, gift_card_id)

    async def pay(self, buyer: Buyer, key: UUID, card_token: str, agreed_idr: int | None = None) -> Order:
        """Place, charge and settle; a replayed key gets the first answer again.

        `agreed_idr` is the total that the shopper saw; None agrees to the one of now. Raises CheckoutExpired,
        OutOfStock, ReservationExpired, PriceChanged, VoucherRefused, PaymentsUnavailable (nothing was placed then),
        PaymentDeclined, PaymentUnresolved, Unavailable.
        """
        try:
            order = await self._place(buyer, key, _digest(key, card_token), agreed_idr)
        except VoucherRefused:
            await self._take_vouchers_off(buyer.cart_id)
            raise
        if order.state is OrderState.PENDING:
            order = await self._charge_and_settle(order, card_token)
        if order.state is OrderState.CANCELLED:
            raise PaymentDeclined
        return order

    async def find_order(self, order_id: int, cart_id: int | None, account_id: int | None) -> PlacedOrder:
        """Return an order to its owner; raises NotFound, for a foreign order as for none."""
        async with self._database.connection() as connection:
            placed = await orders.find_placed(connection, order_id)
        if placed is None or not placed.order.belongs_to(cart_id, account_id):
            raise NotFound("Pesanan ini tidak ada.")
        return placed

    async def history(self, cart_id: int | None, account_id: int | None) -> list[Order]:
        """Return the latest orders of the account, or of the cart if nobody is logged in."""
        async with self._database.connection() as connection:
            if account_id is not None:
                return await orders.of_account(connection, account_id, _HISTORY_LENGTH)
            return await orders.of_cart(connection, cart_id, _HISTORY_LENGTH) if cart_id is not None else []

    async def _place(self, buyer: Buyer, key: UUID, digest: bytes, agreed_idr: int | None) -> Order:
        async with counting_stock_outs(), self._database.transaction() as connection:
            checkout = await locks.lock_checkout(connection, buyer.cart_id)
            placed = await orders.find_by_key(connection, key)
            if placed is not None:
                return _replayed(placed, buyer, digest)
            if checkout is None or checkout.key != key:
                raise CheckoutExpired
            cart = await carts.load(connection, buyer.cart_id)
            if not cart.lines:
                raise CheckoutExpired("Keranjang Anda kosong.")
            due = await _reckon_up(connection, checkout, cart)
            if agreed_idr not in (None, due.total_idr):
                raise PriceChanged
            if due.charge_idr and not self._provider.available():
                raise PaymentsUnavailable
            order = await orders.insert_pending(
                connection,
                checkout=checkout,
                buyer=buyer,
                lines=cart.lines,
                bill=due,
                payment_digest=digest,
                check_after_s=self._pending_after_s,
            )
            await vouchers.spend(connection, order)
            # Last of all: the stock of a wanted product is what everybody waits for.
            await _take_stock(connection, order, cart.lines)
        metrics.orders.add(order.state.value)
        if order.coupon_id is not None:
            metrics.coupon_redemptions.add()
        return order

    async def _take_vouchers_off(self, cart_id: int) -> None:
        async with self._database.connection() as connection:
            await carts.set_vouchers(connection, cart_id, None, None)

    async def _charge_and_settle(self, order: Order, card_token: str) -> Order:
        settled = await settle(self._database, order, await self._charge(order, card_token))
        if settled.state is OrderState.PENDING:
            raise PaymentUnresolved(order.order_id)
        return settled

    async def _charge(self, order: Order, card_token: str) -> ChargeState:
        if not order.charge_idr:
            return ChargeState.CAPTURED
        try:
            outcome = await self._provider.charge(
                ChargeRequest(order.key, order.charge_idr, card_token, order.order_id)
            )
        except KeyReused:
            raise CheckoutExpired(_OTHER_PAYMENT) from None
        except PaymentsUnavailable:  # since the order was placed: reconciliation will make sure of it
            return ChargeState.UNKNOWN
        if outcome is ChargeState.UNKNOWN:
            outcome = await self._provider.look_up(order.key)
        return outcome


@dataclass(frozen=True, slots=True)
class PaymentForm:
    """What the payment page shows; `coupon_code` is empty without a coupon."""

    checkout: Checkout
    cart: Cart
    bill: Bill
    coupon_code: str


async def _usable_coupon(connection: Connection, code: str) -> int:
    coupon = await vouchers.find_coupon(connection, code)
    if coupon is None or coupon.is_used_up:
        raise VoucherRefused("Kupon ini tidak berlaku atau sudah habis.")
    return coupon.coupon_id


async def _usable_gift_card(connection: Connection, code: str) -> int:
    card = await vouchers.find_gift_card(connection, code)
    if card is None or card.balance_idr == 0:
        raise VoucherRefused("Kartu hadiah ini tidak berlaku atau sudah habis.")
    return card.gift_card_id


async def _reckon_up(connection: Connection, checkout: Checkout, cart: Cart) -> Bill:
    """Return what the order costs now; its vouchers are locked, and raise VoucherRefused if there is nothing left."""
    coupon, gift_card = await locks.lock_vouchers(connection, checkout.coupon_id, checkout.gift_card_id)
    if (coupon and coupon.is_used_up) or (gift_card and not gift_card.balance_idr):
        raise VoucherRefused
    return bill(cart.total_idr, coupon, gift_card)


async def _take_stock(connection: Connection, order: Order, lines: tuple[Line, ...]) -> None:
    """Reserve the lines' units, those first that a flash sale keeps for this cart; raises what is missing."""
    wanted = Counter({line.product_id: line.quantity for line in lines})
    held = []
    for reservation in await locks.lock_held(connection, order.cart_id):
        if reservation.quantity <= wanted[reservation.product_id]:
            wanted[reservation.product_id] -= reservation.quantity
            held.append(reservation)
    if held and order.account_id is not None:
        await _keep_to_limit(connection, order, held)
    rest = [replace(line, quantity=wanted[line.product_id]) for line in lines if wanted[line.product_id]]
    if rest:
        on_hand = await locks.lock_stock(connection, [line.product_id for line in rest])
        for line in rest:
            if await sales.of_product(connection, line.product_id) is not None:
                raise ReservationExpired
            if on_hand[line.product_id] < line.quantity:
                raise OutOfStock(line.product_id, line.name, on_hand[line.product_id])
        await stock.move(connection, rest, Movement.RESERVE, order.order_id)
    await sales.attach(connection, held, order.order_id)


async def _keep_to_limit(connection: Connection, order: Order, held: Sequence[Reservation]) -> None:
    """Who reserved as a guest in several carts and pays from one account is one customer; raises SaleLimit."""
    await locks.lock_stock(connection, {reservation.product_id for reservation in held})
    for sale in await sales.adopt(connection, held, cast("int", order.account_id)):
        taken = await sales.units_taken(connection, sale.sale_id, Buyer(order.cart_id, order.account_id))
        if taken.by_customer > sale.limit_per_customer:
            raise SaleLimit(sale.limit_per_customer)


def _replayed(placed: Order, buyer: Buyer, digest: bytes) -> Order:
    if not placed.belongs_to(buyer.cart_id, buyer.account_id):
        raise CheckoutExpired
    if placed.payment_digest != digest:
        raise CheckoutExpired(_OTHER_PAYMENT)
    return placed


def _digest(key: UUID, card_token: str) -> bytes:
    """Tell two cards under one key apart without keeping the card."""
    return hashlib.sha256(key.bytes + card_token.encode()).digest()
