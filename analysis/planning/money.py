"""What a sized shop costs: workers by the hour, traffic by the gigabyte; pure."""

from dataclasses import dataclass

import numpy as np

from analysis.bootstrap import Estimate
from analysis.planning.prices import Prices
from analysis.planning.sizing import Sizing, interval

HOURS_PER_MONTH = 730.0  # a twelfth of 365 days and a quarter


@dataclass(frozen=True, slots=True)
class Cost:
    """Money in the prices' currency: of an hour at the peak, and of a month; `parts_per_month` by tier, and traffic."""

    per_h: Estimate
    per_month: Estimate
    parts_per_month: tuple[tuple[str, float], ...]


TRAFFIC = "edge traffic"


def cost(sizing: Sizing, prices: Prices, *, peak_gb_per_h: float, mean_gb_per_h: float) -> Cost:
    """Workers are paid for around the clock, traffic as it comes: at the peak in the hour, at the mean in the month."""
    per_worker = np.array([prices.of_worker(tier.tier) for tier in sizing.tiers])
    planned = np.array([float(tier.count) for tier in sizing.tiers])
    workers_per_h = float(planned @ per_worker)
    low, high = interval(sizing.drawn @ per_worker)
    peak, mean = (gb_per_h * prices.traffic_gb for gb_per_h in (peak_gb_per_h, mean_gb_per_h))
    parts = [
        (tier.tier, HOURS_PER_MONTH * count * price)
        for tier, count, price in zip(sizing.tiers, planned.tolist(), per_worker.tolist(), strict=True)
    ]
    return Cost(
        per_h=Estimate(workers_per_h + peak, low + peak, high + peak),
        per_month=Estimate(*(HOURS_PER_MONTH * (figure + mean) for figure in (workers_per_h, low, high))),
        parts_per_month=(*parts, (TRAFFIC, HOURS_PER_MONTH * mean)),
    )
