"""Measured shops made by hand, whose every figure is known beforehand."""

from collections.abc import Mapping, Sequence

import numpy as np

from analysis.bootstrap import Estimate
from analysis.demand import Demand, Demands
from analysis.planning.measured import Measured
from analysis.steady_seconds import Counted

# CPU milliseconds a request, and the half width of its interval
COSTS_MS: Mapping[str, tuple[float, float]] = {"edge": (0.2, 0.02), "shop": (5.0, 0.5), "database": (1.0, 0.3)}


def demand(tier: str, value_ms: float, half_ms: float = 0.0) -> Demand:
    return Demand(tier, "all", value_ms / 1000, (value_ms - half_ms) / 1000, (value_ms + half_ms) / 1000)


def found(costs_ms: Mapping[str, tuple[float, float]] = COSTS_MS, doubt: str | None = None) -> Demands:
    return Demands(
        of=tuple(demand(tier, value, half) for tier, (value, half) in costs_ms.items()),
        requests_per_session={"product": 15.0, "static": 5.0},
        orders_per_session=0.25,
        workers={"edge": 1, "shop": 2, "database": 1},
        bytes_per_session=500_000.0,
        doubt=doubt,
    )


def counted(values_ms: Sequence[float]) -> Counted:
    """Response times in one second, each once."""
    values, counts = np.unique(np.array(values_ms, dtype=np.float64), return_counts=True)
    return Counted(counts[np.newaxis, :].astype(np.float64), values)


def measured_shop(
    costs_ms: Mapping[str, tuple[float, float]] = COSTS_MS,
    visits: Mapping[str, float] | None = None,
    values_ms: Sequence[float] = tuple(range(1, 101)),
) -> Measured:
    """20 requests a session, response times of 1 to 100 ms, the shop visited by half of the requests."""
    demands = found(costs_ms)
    return Measured(
        demands=demands.of,
        visits=visits
        or {"edge": 1.0, "shop": 0.5, "database": 0.5} | dict.fromkeys(costs_ms.keys() - COSTS_MS.keys(), 1.0),
        kind_visits={"payment": {"checkout": 1.0}},
        requests_per_session=20.0,
        orders_per_session=0.25,
        bytes_per_session=500_000.0,
        sessions_per_s=1.0,
        workers=demands.workers,
        response_ms={"all": counted(values_ms), "product": counted(values_ms)},
        generator_s=Estimate(0.0015, 0.0012, 0.0018),
        connections_per_worker=4.0,
        paths_logged=True,
        faults=(),
        doubt=None,
    )
