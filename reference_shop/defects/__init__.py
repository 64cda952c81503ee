"""Mistakes that can be planted into the shop on purpose, to see whether a run finds them; one file per defect.

A program with defects is started as `python -m reference_shop.defects PROGRAM NAME…`. The shop itself knows nothing of
them: each replaces a class, a function or a statement of the shop from outside.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Defect:
    """One mistake: `symptom` is what a shopper or an operator notices, `invariant` the audit's that finds it.

    `pillar` is what of the shop it spoils: scalability, security, network, interface or monitoring. `programs` are
    those into which it must be planted: web, payment, seed.
    """

    name: str
    pillar: str
    symptom: str
    invariant: str | None = None
    programs: tuple[str, ...] = ("web",)

    @property
    def module(self) -> str:
        """The name of the module in this package that plants it."""
        return self.name.replace("-", "_")


DEFECTS: dict[str, Defect] = {
    defect.name: defect
    for defect in (
        Defect(
            "oversell",
            "scalability",
            "Sales and deliveries overwrite each other's stock, until more is sold than there was.",
            "stock_balance",
        ),
        Defect(
            "double-charge",
            "monitoring",
            "Cards are charged twice for one order whenever the payment provider takes more than a moment.",
            "one_charge_per_key",
        ),
        Defect(
            "lost-order",
            "monitoring",
            "One order in three is confirmed to its shopper and is then nowhere in the shop.",
            "acknowledged_orders",
        ),
        Defect(
            "orphan-payment",
            "monitoring",
            "One order in three is cancelled although its money was taken, and the money is kept.",
            "paid_iff_order",
        ),
        Defect(
            "price-drift",
            "interface",
            "Totals are not the sum of their lines once a price has changed.",
            "order_totals",
        ),
        Defect(
            "coupon-overspend",
            "security",
            "Coupons go on after their last use, and gift cards pay more than was ever put on them.",
            "coupons",
        ),
        Defect(
            "reservation-leak",
            "monitoring",
            "Products sell out though nobody bought them: what was reserved never comes free.",
            "stock_balance",
        ),
        Defect(
            "cart-leak",
            "network",
            "Behind an edge shoppers see somebody else's cart and name.",
        ),
        Defect(
            "session-mixup",
            "security",
            "Shoppers pay for their own cart and get what somebody else looked at last.",
            "own_orders",
        ),
        Defect(
            "stale-stock",
            "network",
            "Product pages show what was on hand when the worker started, whatever was sold or delivered since.",
            "shown_stock",
        ),
        Defect(
            "n-plus-one",
            "scalability",
            "Lists of products get slow long before the shop is full: every card of a page costs a query.",
        ),
        Defect(
            "missing-index",
            "scalability",
            "Category pages and search get slower with every product in the catalogue, and the database busy.",
            programs=("seed",),
        ),
        Defect(
            "lock-order",
            "scalability",
            "Orders of several wanted products stall for a second and fail: the database reports deadlocks.",
        ),
        Defect(
            "connection-leak",
            "scalability",
            "After a number of refusals a worker answers nothing but 503, until it is restarted.",
        ),
        Defect(
            "memory-leak",
            "monitoring",
            "Workers grow with every page that they serve.",
        ),
        Defect(
            "blocking-call",
            "scalability",
            "Whenever somebody puts a product into a cart, all other pages of that worker stand still for 0.2 s.",
        ),
        Defect(
            "gc-pause",
            "monitoring",
            "Every so many pages a worker stands still for a tenth of a second or more, whatever it was doing.",
        ),
        Defect(
            "no-payment-timeout",
            "network",
            "While the payment provider is silent, shoppers who pay wait for as long as it pleases.",
        ),
        Defect(
            "retry-storm",
            "network",
            "A payment provider that stumbles is asked again and again until it cannot get up.",
        ),
        Defect(
            "unbounded-queue",
            "scalability",
            "An overloaded shop turns nobody away, and lets everybody wait longer and longer.",
        ),
    )
}
