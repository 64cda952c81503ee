"""The cart: opened with the first product, held by a cookie, checked against the stock but reserving none of it."""

from dataclasses import dataclass

from reference_shop.domain.accounts import new_token, token_digest
from reference_shop.domain.errors import InvalidInput, NotFound, OutOfStock
from reference_shop.domain.orders import MAX_LINES_PER_CART, MAX_QUANTITY_PER_LINE, Cart
from reference_shop.repository import carts
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

    async def add(self, token: str | None, product_id: int, quantity: int) -> OpenedCart:
        """Put units into the cart, opening one if needed; raises NotFound, OutOfStock, InvalidInput."""
        async with self._database.transaction() as connection:
            name, on_hand = await _product(connection, product_id)
            if on_hand < quantity:
                raise OutOfStock(product_id, name, on_hand)
            opened = await _open(connection, token)
            held = await carts.add(connection, opened.cart_id, product_id, quantity)
            if held > MAX_QUANTITY_PER_LINE:
                raise InvalidInput({"quantity": f"Paling banyak {MAX_QUANTITY_PER_LINE} buah per produk."})
            if await carts.line_count(connection, opened.cart_id) > MAX_LINES_PER_CART:
                raise InvalidInput({"product_id": f"Keranjang memuat paling banyak {MAX_LINES_PER_CART} produk."})
            return opened

    async def set_quantity(self, token: str | None, product_id: int, quantity: int) -> None:
        """Change or remove (0) a line; raises NotFound, OutOfStock."""
        cart_id = await self.find_id(token)
        if cart_id is None:
            raise NotFound("Keranjang ini tidak ada.")
        async with self._database.transaction() as connection:
            name, on_hand = await _product(connection, product_id)
            if on_hand < quantity:
                raise OutOfStock(product_id, name, on_hand)
            await carts.set_quantity(connection, cart_id, product_id, quantity)


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
