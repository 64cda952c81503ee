"""What a shopper has put into the cart and not yet paid for, as far as anybody outside the shop can know. Pure.

Units of a flash sale are kept for a while only: the shop takes them out of the cart by itself when their time is up, so
from then on both carts are right, with them and without.
"""

from __future__ import annotations

from collections.abc import Mapping

from scenarios.storefront import Lines


class Basket:
    """Instants are seconds of any one clock.

    `sure` is False after a change without an answer: nobody here knows then what the cart holds.
    """

    __slots__ = ("_kept_until", "_units", "sure")

    def __init__(self) -> None:
        self.sure = True
        self._units: dict[int, int] = {}
        self._kept_until: dict[int, float] = {}

    @property
    def count(self) -> int:
        """Units of all products."""
        return sum(self._units.values())

    @property
    def lines(self) -> Lines:
        """Units by product."""
        return tuple(self._units.items())

    def units_of(self, product_id: int) -> int:
        """Units of one product."""
        return self._units.get(product_id, 0)

    def put(self, product_id: int, quantity: int, kept_until: float | None = None) -> None:
        """Units went in; those of a flash sale are surely there until an instant only."""
        self._units[product_id] = self.units_of(product_id) + quantity
        if kept_until is not None:
            self._kept_until[product_id] = min(kept_until, self._kept_until.get(product_id, kept_until))

    def clear(self) -> None:
        """Everything was paid for, or is gone; that much is certain."""
        self.sure = True
        self._units.clear()
        self._kept_until.clear()

    def learn(self, shown: Lines) -> None:
        """What the shop shows is what there is."""
        self._units = dict(shown)

    def agrees(self, shown: Mapping[int, int], now: float) -> bool:
        """Whether a cart with these units by product can be this shopper's."""
        if not self.sure:
            return True
        return all(
            self._least(product_id, now) <= shown.get(product_id, 0) <= self.units_of(product_id)
            for product_id in {*shown, *self._units}
        )

    def agrees_with_count(self, shown: int, now: float) -> bool:
        """Whether a badge with this number can be this shopper's."""
        return not self.sure or sum(self._least(product_id, now) for product_id in self._units) <= shown <= self.count

    def may_be_empty(self, now: float) -> bool:
        """Whether all that was put in may be gone by now, though something was."""
        return bool(self._units) and not any(self._least(product_id, now) for product_id in self._units)

    def _least(self, product_id: int, now: float) -> int:
        """The units that must be there."""
        return 0 if now >= self._kept_until.get(product_id, now + 1.0) else self.units_of(product_id)
