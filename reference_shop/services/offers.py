"""Puts a flash sale, coupons and gift cards on offer, all or nothing. For operators."""

from reference_shop.domain.errors import NotFound
from reference_shop.domain.offers import Offers, SaleOffer
from reference_shop.domain.orders import Line
from reference_shop.domain.sales import FlashSale
from reference_shop.domain.stock import Movement
from reference_shop.repository import locks, products, sales, stock, vouchers
from reference_shop.repository.database import Connection, Database


async def make_offers(database: Database, offers: Offers) -> tuple[FlashSale, int] | None:
    """Make the offers; return the sale and its price, if one is among them. Raises NotFound for an unknown product."""
    async with database.transaction() as connection:
        await locks.lock_offers(connection)
        for coupon in offers.coupons:
            await vouchers.make_coupon(connection, coupon.code, coupon.amount_idr, coupon.uses)
        for card in offers.gift_cards:
            await vouchers.make_gift_card(connection, card.code, card.balance_idr)
        return await _make_sale(connection, offers.flash_sale) if offers.flash_sale else None


async def _make_sale(connection: Connection, offer: SaleOffer) -> tuple[FlashSale, int]:
    on_hand = (await locks.lock_stock(connection, [offer.product_id])).get(offer.product_id)
    if on_hand is None:
        raise NotFound("Produk ini tidak ada.")
    missing = offer.units - on_hand
    movement = Movement.DELIVER if missing > 0 else Movement.WITHDRAW
    await stock.move(connection, [Line(offer.product_id, "", abs(missing), 0)], movement)
    price_idr = await products.set_price(connection, offer.product_id, offer.price_idr)
    sale = await sales.begin(
        connection,
        product_id=offer.product_id,
        units=offer.units,
        limit_per_customer=offer.limit_per_customer,
        starts_at=offer.starts_at,
        ends_at=offer.ends_at,
        reservation_s=offer.reservation_s,
    )
    return sale, price_idr
