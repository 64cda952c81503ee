"""From address to paid order, in three steps that no crash can tear:

1. *place* (one transaction): the order is written as pending under its idempotency key and its stock is taken;
2. *charge*: the provider is asked with that key. No lock and no database connection is held meanwhile;
3. *settle* (one transaction): the order becomes paid, or cancelled with its stock returned.

Only what step 3 made durable is acknowledged. A crash after 1 or 2 leaves a pending order; `reconciliation` settles it.
"""

import hashlib
from uuid import UUID, uuid4

from reference_shop.domain.errors import CheckoutExpired, NotFound, OutOfStock, PaymentDeclined, PaymentUnresolved
from reference_shop.domain.orders import Address, Buyer, Cart, Checkout, Line, Order, OrderState, PlacedOrder
from reference_shop.domain.payments import ChargeRequest, ChargeState, KeyReused, PaymentProvider
from reference_shop.repository import carts, locks, orders
from reference_shop.repository.database import Connection, Database
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

    async def payment_form(self, cart_id: int) -> tuple[Checkout, Cart]:
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
        return checkout, cart

    async def pay(self, buyer: Buyer, key: UUID, card_token: str) -> Order:
        """Place, charge and settle; a replayed key gets the first answer again.

        Raises CheckoutExpired, OutOfStock, PaymentDeclined, PaymentUnresolved, Unavailable.
        """
        order = await self._place(buyer, key, _digest(key, card_token))
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

    async def _place(self, buyer: Buyer, key: UUID, digest: bytes) -> Order:
        async with self._database.transaction() as connection:
            checkout = await locks.lock_checkout(connection, buyer.cart_id)
            placed = await orders.find_by_key(connection, key)
            if placed is not None:
                return _replayed(placed, buyer, digest)
            if checkout is None or checkout.key != key:
                raise CheckoutExpired
            cart = await carts.load(connection, buyer.cart_id)
            if not cart.lines:
                raise CheckoutExpired("Keranjang Anda kosong.")
            order = await orders.insert_pending(
                connection,
                key=key,
                buyer=buyer,
                address=checkout.address,
                lines=cart.lines,
                total_idr=cart.total_idr,
                payment_digest=digest,
                check_after_s=self._pending_after_s,
            )
            # Last of all: the stock of a wanted product is what everybody waits for.
            await _take_stock(connection, cart.lines)
            return order

    async def _charge_and_settle(self, order: Order, card_token: str) -> Order:
        try:
            outcome = await self._provider.charge(ChargeRequest(order.key, order.total_idr, card_token))
        except KeyReused:
            raise CheckoutExpired(_OTHER_PAYMENT) from None
        if outcome is ChargeState.UNKNOWN:
            outcome = await self._provider.look_up(order.key)
        settled = await settle(self._database, order, outcome)
        if settled.state is OrderState.PENDING:
            raise PaymentUnresolved(order.order_id)
        return settled


async def _take_stock(connection: Connection, lines: tuple[Line, ...]) -> None:
    on_hand = await locks.lock_stock(connection, [line.product_id for line in lines])
    for line in lines:
        if on_hand[line.product_id] < line.quantity:
            raise OutOfStock(line.product_id, line.name, on_hand[line.product_id])
    await orders.move_stock(connection, lines, -1)


def _replayed(placed: Order, buyer: Buyer, digest: bytes) -> Order:
    if not placed.belongs_to(buyer.cart_id, buyer.account_id):
        raise CheckoutExpired
    if placed.payment_digest != digest:
        raise CheckoutExpired(_OTHER_PAYMENT)
    return placed


def _digest(key: UUID, card_token: str) -> bytes:
    """Tell two cards under one key apart without keeping the card."""
    return hashlib.sha256(key.bytes + card_token.encode()).digest()
