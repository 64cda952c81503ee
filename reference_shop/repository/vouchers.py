"""Coupons and gift cards: found by the code that a shopper types, spent by the orders that use them."""

from reference_shop.domain.orders import Order
from reference_shop.domain.vouchers import Coupon, GiftCard
from reference_shop.repository.database import Connection, Row

_COUPON = "coupon_id, code, amount_idr, allowed_count, used_count"


async def find_coupon(connection: Connection, code: str) -> Coupon | None:
    """Return the coupon that a code stands for now."""
    row = await connection.fetchrow(
        f"SELECT {_COUPON} FROM coupons WHERE code = $1 AND active",  # noqa: S608  (a constant)
        code,
    )
    return coupon_from(row) if row else None


async def find_gift_card(connection: Connection, code: str) -> GiftCard | None:
    """Return the gift card that a code stands for now."""
    row = await connection.fetchrow("SELECT gift_card_id, balance_idr FROM gift_cards WHERE code = $1 AND active", code)
    return GiftCard(**row) if row else None


async def of_checkout(
    connection: Connection, coupon_id: int | None, gift_card_id: int | None
) -> tuple[Coupon | None, GiftCard | None]:
    """Return the vouchers on a checkout as they are now, unlocked."""
    coupon = gift_card = None
    if coupon_id is not None:
        coupon = await connection.fetchrow(f"SELECT {_COUPON} FROM coupons WHERE coupon_id = $1", coupon_id)  # noqa: S608
    if gift_card_id is not None:
        gift_card = await connection.fetchrow(
            "SELECT gift_card_id, balance_idr FROM gift_cards WHERE gift_card_id = $1", gift_card_id
        )
    return coupon_from(coupon) if coupon else None, GiftCard(**gift_card) if gift_card else None


async def spend(connection: Connection, order: Order) -> None:
    """Use the locked coupon once, and take the order's part off the locked gift card."""
    await _use_coupon(connection, order, 1)
    await _change_balance(connection, order, -order.gift_idr, "spend")


async def give_back(connection: Connection, order: Order) -> None:
    """Undo `spend` for an order that was cancelled."""
    await _use_coupon(connection, order, -1)
    await give_gift_back(connection, order)


async def give_gift_back(connection: Connection, order: Order) -> None:
    """Put what a gift card paid back onto it; the coupon stays used."""
    await _change_balance(connection, order, order.gift_idr, "give_back")


async def make_coupon(connection: Connection, code: str, amount_idr: int, uses: int) -> None:
    """Issue a coupon; a code that exists begins anew."""
    await connection.execute("UPDATE coupons SET active = false WHERE code = $1 AND active", code)
    await connection.execute(
        "INSERT INTO coupons (code, amount_idr, allowed_count) VALUES ($1, $2, $3)", code, amount_idr, uses
    )


async def make_gift_card(connection: Connection, code: str, balance_idr: int) -> None:
    """Issue a gift card; a code that exists begins anew."""
    await connection.execute("UPDATE gift_cards SET active = false WHERE code = $1 AND active", code)
    await connection.execute(
        "INSERT INTO gift_cards (code, initial_idr, balance_idr) VALUES ($1, $2, $2)", code, balance_idr
    )


def coupon_from(row: Row) -> Coupon:
    """Read a row of `coupons`."""
    return Coupon(row["coupon_id"], row["code"], row["amount_idr"], row["allowed_count"], row["used_count"])


async def _use_coupon(connection: Connection, order: Order, uses: int) -> None:
    if order.coupon_id is not None:
        await connection.execute(
            """WITH used AS (UPDATE coupons SET used_count = used_count + $2 WHERE coupon_id = $1 RETURNING coupon_id)
               INSERT INTO ledger (subject, change, order_id, voucher_id, quantity)
               SELECT 'coupon', CASE WHEN $2 > 0 THEN 'use' ELSE 'give_back' END, $3, coupon_id, abs($2) FROM used""",
            order.coupon_id,
            uses,
            order.order_id,
        )


async def _change_balance(connection: Connection, order: Order, amount_idr: int, change: str) -> None:
    if order.gift_card_id is not None and amount_idr:
        await connection.execute(
            """WITH changed AS (UPDATE gift_cards SET balance_idr = balance_idr + $2 WHERE gift_card_id = $1
                                RETURNING gift_card_id)
               INSERT INTO ledger (subject, change, order_id, voucher_id, amount_idr)
               SELECT 'gift_card', $4, $3, gift_card_id, abs($2) FROM changed""",
            order.gift_card_id,
            amount_idr,
            order.order_id,
            change,
        )
