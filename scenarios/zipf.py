"""Zipf's law for what shoppers choose: products of a catalogue, links of a page.

Rejection-inversion after W. Hörmann and G. Derflinger, "Rejection-inversion to generate variates from monotone discrete
distributions", ACM TOMACS 6 (1996): exact for any exponent >= 0, no table, so that a catalogue of a million products
costs no set-up in the load loop."""

from __future__ import annotations

import math
from random import Random


class Zipf:
    """Draws ranks 1..count with P(rank) proportional to rank ** -exponent."""

    __slots__ = ("_accept", "_exponent", "_high", "_low", "count")

    def __init__(self, count: int, exponent: float) -> None:
        if count < 1 or exponent < 0:
            raise ValueError(
                f"Zipf needs a count of at least 1 and an exponent of at least 0, got {count} and {exponent}."
            )
        self.count = count
        self._exponent = exponent
        self._low = self._integral(1.5) - 1.0
        self._high = self._integral(count + 0.5)
        self._accept = 2.0 - self._inverse(self._integral(2.5) - 2.0**-exponent)

    def draw(self, rng: Random) -> int:
        """One rank; fewer than 1.2 tries on average."""
        while True:
            area = self._high + rng.random() * (self._low - self._high)
            position = self._inverse(area)
            rank = min(max(int(position + 0.5), 1), self.count)
            if rank - position <= self._accept or area >= self._integral(rank + 0.5) - rank**-self._exponent:
                return rank

    def _integral(self, x: float) -> float:
        """Integral of t ** -exponent from 1 to x; expm1 keeps it exact where the exponent is close to 1."""
        power = (1.0 - self._exponent) * math.log(x)
        return math.log(x) * (math.expm1(power) / power if power else 1.0)

    def _inverse(self, area: float) -> float:
        scaled = max(area * (1.0 - self._exponent), -1.0 + 1e-15)
        return math.exp(area * (math.log1p(scaled) / scaled if scaled else 1.0))
