"""Turns rows of the order tables into the domain's records."""

from reference_shop.domain.orders import Address, Checkout, Line, Order, OrderState
from reference_shop.repository.database import Row


def address_from(row: Row) -> Address:
    """Read the address columns that checkouts and orders share."""
    return Address(
        recipient=row["recipient"],
        phone=row["phone"],
        street=row["street"],
        city=row["city"],
        province=row["province"],
        postcode=row["postcode"],
    )


def checkout_from(row: Row) -> Checkout:
    """Read a row of `checkouts`."""
    return Checkout(row["cart_id"], row["idempotency_key"], address_from(row), row["coupon_id"], row["gift_card_id"])


def line_from(row: Row) -> Line:
    """Read a row that holds product_id, name, quantity and price_idr."""
    return Line(row["product_id"], row["name"], row["quantity"], row["price_idr"])


def order_from(row: Row) -> Order:
    """Read a row of `orders`."""
    return Order(
        order_id=row["order_id"],
        key=row["idempotency_key"],
        cart_id=row["cart_id"],
        account_id=row["account_id"],
        state=OrderState(row["state"]),
        discount_idr=row["discount_idr"],
        total_idr=row["total_idr"],
        gift_idr=row["gift_idr"],
        coupon_id=row["coupon_id"],
        gift_card_id=row["gift_card_id"],
        placed_at=row["placed_at"],
        payment_digest=row["payment_digest"],
    )
