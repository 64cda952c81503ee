"""Coupons and gift cards are spent once."""

from analysis.invariants.evidence import Evidence
from analysis.invariants.finding import Finding, Notebook


def check(evidence: Evidence) -> Finding:
    """No coupon is used more often than allowed, its count is that of its orders, and gift cards lose what they paid.

    The balance of a gift card is Jepsen's bank checker; the coupon used in two places at once is the first attack of
    ACIDRain (Warszawski and Bailis, SIGMOD 2017).

    It cannot see a coupon that was overused and given back before the books were read, nor one that no order used.
    """
    notes = Notebook("coupons", "voucher")
    for coupon in evidence.truth.coupons:
        name = f"coupon {coupon.code}"
        if coupon.used_count > coupon.allowed_count or coupon.order_count > coupon.allowed_count:
            notes.violated(name, "used more often than allowed")
        if coupon.used_count != coupon.order_count:
            notes.violated(name, "whose count is not that of the orders that carry it")
    for card in evidence.truth.gift_cards:
        name = f"gift card {card.gift_card_id}"
        if card.balance_idr < 0:
            notes.violated(name, "overdrawn")
        if card.initial_idr - card.balance_idr != card.spent_idr:
            notes.violated(name, "that lost another amount than its orders were paid with")
    return notes.finding(len(evidence.truth.coupons) + len(evidence.truth.gift_cards))
