"""What somebody wants to know: which sizes, which peak, which objectives."""

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.planning.prices import Prices
from loadgen.objectives import Objective

SIZES_PER_H = (10_000.0, 30_000.0, 100_000.0, 300_000.0, 1_000_000.0)
HEADROOM = 0.3


@dataclass(frozen=True, slots=True)
class Wishes:
    """Sizes by shoppers or by orders, without both SIZES_PER_H; `objectives` None for those of the run's scenario.

    `peak_factor` is how many times the mean rate comes at the peak, `headroom` the share of every tier left free then.
    """

    shoppers_per_h: Sequence[float] = ()
    orders_per_min: Sequence[float] = ()
    peak_factor: float = 1.0
    headroom: float = HEADROOM
    objectives: tuple[Objective, ...] | None = None
    prices: Prices | None = None


@dataclass(frozen=True, slots=True)
class Load:
    """A size: sessions that arrive, on average and at the peak."""

    shoppers_per_h: float
    orders_per_min: float
    peak_factor: float

    @property
    def sessions_per_s(self) -> float:
        """The mean rate."""
        return self.shoppers_per_h / 3600

    @property
    def peak_sessions_per_s(self) -> float:
        """The rate at the peak, which is planned for."""
        return self.sessions_per_s * self.peak_factor

    @property
    def peak_shoppers_per_h(self) -> float:
        """The same by the hour."""
        return self.shoppers_per_h * self.peak_factor
