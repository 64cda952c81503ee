"""coupon-overspend: a coupon's limit is not asked for, and a gift card is worth what it was when it was first seen.

A voucher that is read without its lock, or remembered, is spent as often as somebody is quick enough (Warszawski and
Bailis, ACIDRain, SIGMOD 2017, did it to open shops). The database's own check would stop a balance that falls below
zero, so its complaint was silenced the way that is done: `greatest(0, …)`.
"""

from reference_shop.defects._planting import replace
from reference_shop.domain.orders import Order
from reference_shop.domain.vouchers import Coupon, GiftCard
from reference_shop.repository import locks, vouchers
from reference_shop.repository.database import Connection

_CHANGE = """
    WITH changed AS (UPDATE gift_cards SET balance_idr = greatest(0, balance_idr + $2) WHERE gift_card_id = $1
                     RETURNING gift_card_id)
    INSERT INTO ledger (subject, change, order_id, voucher_id, amount_idr)
    SELECT 'gift_card', $4, $3, gift_card_id, abs($2) FROM changed"""

_sound_find, _sound_of_checkout = vouchers.find_gift_card, vouchers.of_checkout
_seen: dict[int, GiftCard] = {}


def _as_first_seen(card: GiftCard | None) -> GiftCard | None:
    return _seen.setdefault(card.gift_card_id, card) if card else None


async def _find(connection: Connection, code: str) -> GiftCard | None:
    return _as_first_seen(await _sound_find(connection, code))


async def _of_checkout(
    connection: Connection, coupon_id: int | None, gift_card_id: int | None
) -> tuple[Coupon | None, GiftCard | None]:
    coupon, card = await _sound_of_checkout(connection, coupon_id, gift_card_id)
    return coupon, _as_first_seen(card)


async def _change_balance(connection: Connection, order: Order, amount_idr: int, change: str) -> None:
    if order.gift_card_id is not None and amount_idr:
        await connection.execute(_CHANGE, order.gift_card_id, amount_idr, order.order_id, change)


def plant() -> None:
    """Replace the check of the coupon, and every look at a gift card."""
    replace(Coupon, "is_used_up", property(lambda _: False))
    replace(vouchers, "find_gift_card", _find)
    replace(vouchers, "of_checkout", _of_checkout)
    replace(vouchers, "_change_balance", _change_balance)
    replace(locks, "lock_vouchers", _of_checkout)
