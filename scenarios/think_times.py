"""How long a shopper looks at a page before the next step; pure draws from a given random generator."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Exponential:
    """-ln(r) · mean_s, cut off at cap_s (TPC-W's form, clauses 5.3.1.1 and 6.2.1.2); both in seconds."""

    mean_s: float
    cap_s: float

    def draw_s(self, rng: Random, scale: float = 1.0) -> float:
        """Seconds; `scale` shrinks or stretches the mean and the cap together."""
        return scale * min(-math.log(1.0 - rng.random()) * self.mean_s, self.cap_s)
