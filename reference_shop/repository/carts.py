"""Carts and open checkouts: what a shopper wants, and where it should go."""

from collections.abc import Sequence
from uuid import UUID

from reference_shop.domain.orders import Address, Cart, Checkout, Line, Order
from reference_shop.repository.database import Connection
from reference_shop.repository.rows import checkout_from, line_from


async def create(connection: Connection, token_digest: bytes) -> int:
    """Open an empty cart; return its id."""
    cart_id: int = await connection.fetchval(
        "INSERT INTO carts (token_digest) VALUES ($1) RETURNING cart_id", token_digest
    )
    return cart_id


async def find_id(connection: Connection, token_digest: bytes) -> int | None:
    """Return the id of the cart that a cookie opens."""
    cart_id: int | None = await connection.fetchval("SELECT cart_id FROM carts WHERE token_digest = $1", token_digest)
    return cart_id


async def load(connection: Connection, cart_id: int) -> Cart:
    """Return the cart with the prices of now."""
    rows = await connection.fetch(
        """SELECT l.product_id, p.name, l.quantity, p.price_idr FROM cart_lines l JOIN products p USING (product_id)
           WHERE l.cart_id = $1 ORDER BY l.product_id""",
        cart_id,
    )
    return Cart(cart_id, tuple(map(line_from, rows)))


async def unit_count(connection: Connection, token_digest: bytes) -> int:
    """Return the number of units in the cart that a cookie opens, 0 without one."""
    count: int = await connection.fetchval(
        "SELECT coalesce(sum(l.quantity), 0)::int FROM carts JOIN cart_lines l USING (cart_id) WHERE token_digest = $1",
        token_digest,
    )
    return count


async def name_and_stock(connection: Connection, product_id: int) -> tuple[str, int] | None:
    """Return a product's name and the units on hand, or None if there is no such product."""
    row = await connection.fetchrow(
        "SELECT name, on_hand FROM products JOIN stock USING (product_id) WHERE product_id = $1", product_id
    )
    return (row["name"], row["on_hand"]) if row else None


async def add(connection: Connection, cart_id: int, product_id: int, quantity: int) -> int:
    """Add units to a line; return how many the line holds now. The caller rolls back what is too much."""
    held: int = await connection.fetchval(
        """INSERT INTO cart_lines AS l (cart_id, product_id, quantity) VALUES ($1, $2, $3)
           ON CONFLICT (cart_id, product_id) DO UPDATE SET quantity = l.quantity + EXCLUDED.quantity
           RETURNING quantity""",
        cart_id,
        product_id,
        quantity,
    )
    return held


async def line_count(connection: Connection, cart_id: int) -> int:
    """Return the number of different products in a cart."""
    count: int = await connection.fetchval("SELECT count(*) FROM cart_lines WHERE cart_id = $1", cart_id)
    return count


async def set_quantity(connection: Connection, cart_id: int, product_id: int, quantity: int) -> None:
    """Change a line that is there; zero removes it."""
    if quantity == 0:
        await connection.execute("DELETE FROM cart_lines WHERE cart_id = $1 AND product_id = $2", cart_id, product_id)
    else:
        await connection.execute(
            "UPDATE cart_lines SET quantity = $3 WHERE cart_id = $1 AND product_id = $2", cart_id, product_id, quantity
        )


async def take_out(connection: Connection, order: Order, lines: tuple[Line, ...]) -> None:
    """Remove what was bought and close the checkout; what was added meanwhile stays."""
    await connection.execute(
        "DELETE FROM checkouts WHERE cart_id = $1 AND idempotency_key = $2", order.cart_id, order.key
    )
    await remove_units(connection, [(order.cart_id, line.product_id, line.quantity) for line in lines])


async def remove_units(connection: Connection, taken: Sequence[tuple[int, int, int]]) -> None:
    """Take (cart, product, units) out of carts' lines; a line that holds no more goes."""
    columns = [list(column) for column in zip(*taken, strict=True)]
    if not columns:
        return
    await connection.execute(
        """DELETE FROM cart_lines l USING unnest($1::bigint[], $2::int[], $3::int[]) t (cart_id, product_id, quantity)
           WHERE l.cart_id = t.cart_id AND l.product_id = t.product_id AND l.quantity <= t.quantity""",
        *columns,
    )
    await connection.execute(
        """UPDATE cart_lines l SET quantity = l.quantity - t.quantity
           FROM unnest($1::bigint[], $2::int[], $3::int[]) t (cart_id, product_id, quantity)
           WHERE l.cart_id = t.cart_id AND l.product_id = t.product_id""",
        *columns,
    )


async def save_checkout(connection: Connection, checkout: Checkout) -> None:
    """Remember the address; an open checkout of this cart keeps its key."""
    address = checkout.address
    await connection.execute(
        """INSERT INTO checkouts (cart_id, idempotency_key, recipient, phone, street, city, province, postcode)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
           ON CONFLICT (cart_id) DO UPDATE SET
               (recipient, phone, street, city, province, postcode)
               = ROW (EXCLUDED.recipient, EXCLUDED.phone, EXCLUDED.street, EXCLUDED.city, EXCLUDED.province,
                      EXCLUDED.postcode)""",
        checkout.cart_id,
        checkout.key,
        address.recipient,
        address.phone,
        address.street,
        address.city,
        address.province,
        address.postcode,
    )


async def find_checkout(connection: Connection, cart_id: int) -> Checkout | None:
    """Return the open checkout of a cart."""
    row = await connection.fetchrow("SELECT * FROM checkouts WHERE cart_id = $1", cart_id)
    return checkout_from(row) if row else None


async def replace_key(connection: Connection, cart_id: int, used: UUID, fresh: UUID) -> None:
    """Give the checkout a fresh key, unless somebody else already did."""
    await connection.execute(
        "UPDATE checkouts SET idempotency_key = $3 WHERE cart_id = $1 AND idempotency_key = $2", cart_id, used, fresh
    )


async def set_vouchers(connection: Connection, cart_id: int, coupon_id: int | None, gift_card_id: int | None) -> None:
    """Put a coupon and a gift card on the open checkout, or take them off."""
    await connection.execute(
        "UPDATE checkouts SET coupon_id = $2, gift_card_id = $3 WHERE cart_id = $1", cart_id, coupon_id, gift_card_id
    )


async def last_address(connection: Connection, cart_id: int) -> Address | None:
    """Return the address of the open checkout, to fill the form again."""
    checkout = await find_checkout(connection, cart_id)
    return checkout.address if checkout else None
