"""How long a shopper looks at a page before the next step; pure draws from a given random generator.

A pause may depend on an instant that the shopper waits for: `until_s` is how far away it is, None when there is none.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random
from typing import Protocol


class Pause(Protocol):
    """One pause after another."""

    def draw_s(self, rng: Random, scale: float = 1.0, until_s: float | None = None) -> float:
        """Seconds; `scale` shrinks or stretches what is not bound to an instant."""


@dataclass(frozen=True, slots=True)
class Exponential:
    """-ln(r) · mean_s, cut off at cap_s (TPC-W's form, clauses 5.3.1.1 and 6.2.1.2); both in seconds."""

    mean_s: float
    cap_s: float

    def draw_s(self, rng: Random, scale: float = 1.0, until_s: float | None = None) -> float:  # noqa: ARG002
        """Seconds; `scale` shrinks or stretches the mean and the cap together."""
        return scale * min(-math.log(1.0 - rng.random()) * self.mean_s, self.cap_s)


@dataclass(frozen=True, slots=True)
class Uniform:
    """Anything from low_s to high_s."""

    low_s: float
    high_s: float

    def draw_s(self, rng: Random, scale: float = 1.0, until_s: float | None = None) -> float:  # noqa: ARG002
        """Seconds."""
        return scale * rng.uniform(self.low_s, self.high_s)


@dataclass(frozen=True, slots=True)
class Nearing:
    """As `far`, but no longer than half of what is left until the instant, and never shorter than least_s."""

    far: Uniform
    least_s: float

    def draw_s(self, rng: Random, scale: float = 1.0, until_s: float | None = None) -> float:
        """Seconds."""
        drawn_s = self.far.draw_s(rng, scale)
        return drawn_s if until_s is None else max(self.least_s, min(drawn_s, until_s / 2))


@dataclass(frozen=True, slots=True)
class Countdown:
    """Until the instant, up to spread_s too early or too late; as `otherwise` when there is none."""

    spread_s: float
    otherwise: Uniform

    def draw_s(self, rng: Random, scale: float = 1.0, until_s: float | None = None) -> float:
        """Seconds."""
        if until_s is None:
            return self.otherwise.draw_s(rng, scale)
        return max(0.0, until_s + rng.uniform(-self.spread_s, self.spread_s))
