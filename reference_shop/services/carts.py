"""The cart: opened with the first product, held by a cookie, checked against the stock but reserving none of it.

Only a flash sale reserves: what is put into the cart there is kept for it, and for so long as the sale grants.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from reference_shop import metrics
from reference_shop.domain.accounts import new_token, token_digest
from reference_shop.domain.errors import InvalidInput, NotFound, OutOfStock, SaleLimit, SaleNotOpen
from reference_shop.domain.orders import MAX_LINES_PER_CART, MAX_QUANTITY_PER_LINE, Buyer, Cart, Line
from reference_shop.domain.sales import FlashSale, Reservation
from reference_shop.domain.stock import Movement
from reference_shop.repository import carts, locks, sales, stock
from reference_shop.repository.database import Connection, Database


@dataclass(frozen=True, slots=True)
class OpenedCart:
    """A cart that a product was put into; `new_token` is the cookie to set if the cart is new."""

    cart_id: int
    new_token: str | None


class Carts:
    """Use cases of the cart."""

    def __init__(self, database: Database) -> None:
        """Work on this database."""
        self._database = database

    async def find_id(self, token: str | None) -> int | None:
        """Return the id of the cart that a cookie opens; None for no cookie or an unknown one."""
        if not token:
            return None
        async with self._database.connection() as connection:
            return await carts.find_id(connection, token_digest(token))

    async def load(self, token: str | None) -> Cart:
        """Return the cart that a cookie opens, or an empty one."""
        if not token:
            return Cart(0, ())
        async with self._database.connection() as connection:
            cart_id = await carts.find_id(connection, token_digest(token))
            return Cart(0, ()) if cart_id is None else await carts.load(connection, cart_id)

    async def unit_count(self, token: str | None) -> int:
        """Return what the badge shows."""
        if not token:
            return 0
        async with self._database.connection() as connection:
            return await carts.unit_count(connection, token_digest(token))

    async def add(self, token: str | None, product_id: int, quantity: int, account_id: int | None) -> OpenedCart:
        """Put units into the cart, opening one if needed; in a flash sale they are reserved.

        Raises NotFound, OutOfStock, InvalidInput, SaleNotOpen, SaleLimit.
        """
        async with counting_stock_outs(), self._database.transaction() as connection:
            name, on_hand = await _product(connection, product_id)
            sale = await sales.of_product(connection, product_id)
            if on_hand < quantity:
                raise OutOfStock(product_id, name, on_hand)
            opened = await _open(connection, token)
            if sale is not None:
                await _reserve(connection, sale, Buyer(opened.cart_id, account_id), Line(product_id, name, quantity, 0))
            held = await carts.add(connection, opened.cart_id, product_id, quantity)
            if held > MAX_QUANTITY_PER_LINE:
                raise InvalidInput({"quantity": f"Paling banyak {MAX_QUANTITY_PER_LINE} buah per produk."})
            if await carts.line_count(connection, opened.cart_id) > MAX_LINES_PER_CART:
                raise InvalidInput({"product_id": f"Keranjang memuat paling banyak {MAX_LINES_PER_CART} produk."})
        if sale is not None:
            metrics.reservations_made.add()
        if opened.new_token is not None:
            metrics.carts_opened.add()
        return opened

    async def set_quantity(self, token: str | None, product_id: int, quantity: int) -> None:
        """Change or remove (0) a line; one of a flash sale, over or not, can only be removed.

        Raises NotFound, OutOfStock, InvalidInput.
        """
        cart_id = await self.find_id(token)
        if cart_id is None:
            raise NotFound("Keranjang ini tidak ada.")
        async with counting_stock_outs(), self._database.transaction() as connection:
            name, on_hand = await _product(connection, product_id)
            held = await locks.lock_held(connection, cart_id, product_id)
            if quantity and (held or await sales.of_product(connection, product_id)):
                raise InvalidInput({"quantity": "Barang penjualan kilat hanya dapat dihapus dari keranjang."})
            if held:
                await _release(connection, held, Line(product_id, name, 0, 0))
            elif on_hand < quantity:
                raise OutOfStock(product_id, name, on_hand)
            await carts.set_quantity(connection, cart_id, product_id, quantity)


@asynccontextmanager
async def counting_stock_outs() -> AsyncGenerator[None, None]:
    """Count a refusal for lack of stock that comes out of the block."""
    try:
        yield
    except OutOfStock:
        metrics.stock_outs.add()
        raise


async def _reserve(connection: Connection, sale: FlashSale, buyer: Buyer, wanted: Line) -> None:
    """Keep a sale's units for a customer; the product's lock lets one after the other pass."""
    if datetime.now(UTC) < sale.starts_at:
        raise SaleNotOpen
    on_hand = (await locks.lock_stock(connection, [wanted.product_id]))[wanted.product_id]
    taken = await sales.units_taken(connection, sale.sale_id, buyer)
    if taken.by_customer + wanted.quantity > sale.limit_per_customer:
        raise SaleLimit(sale.limit_per_customer)
    # Beside the shelf: units of an earlier sale may have come back to it, and are none of this one's.
    if on_hand < wanted.quantity or taken.by_all + wanted.quantity > sale.units:
        raise OutOfStock(wanted.product_id, wanted.name, on_hand)
    await stock.move(connection, [wanted], Movement.RESERVE)
    await sales.reserve(connection, sale, buyer, wanted.quantity)


async def _release(connection: Connection, held: Sequence[Reservation], line: Line) -> None:
    await sales.end(connection, held, "released")
    units = sum(reservation.quantity for reservation in held)
    await stock.move(connection, [replace(line, quantity=units)], Movement.RELEASE)


async def _product(connection: Connection, product_id: int) -> tuple[str, int]:
    found = await carts.name_and_stock(connection, product_id)
    if found is None:
        raise NotFound("Produk ini tidak ada.")
    return found


async def _open(connection: Connection, token: str | None) -> OpenedCart:
    cart_id = await carts.find_id(connection, token_digest(token)) if token else None
    if cart_id is not None:
        return OpenedCart(cart_id, None)
    fresh = new_token()
    return OpenedCart(await carts.create(connection, token_digest(fresh)), fresh)
