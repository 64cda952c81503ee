"""Load against workers and response time, as lines for a picture; pure."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from analysis.planning.measured import Measured
from analysis.planning.response import ResponseTimes
from analysis.planning.sizing import Sizer
from loadgen.objectives import PERCENTILES

_POINTS = 120
_MARGIN = 3.0  # how far beyond the smallest and the largest size the lines go
# Shares of what fills a planned shop, closer together where the queue begins to grow.
_FILLED = (
    0.05,
    0.1,
    0.2,
    0.3,
    0.4,
    0.5,
    0.6,
    0.7,
    0.75,
    0.8,
    0.85,
    0.88,
    0.91,
    0.93,
    0.95,
    0.965,
    0.975,
    0.985,
    0.99,
    0.995,
)


@dataclass(frozen=True, slots=True)
class Response:
    """The response time of one planned shop as its load grows until it is full; ms against shoppers per hour."""

    planned_for_per_h: float
    loads_per_h: tuple[float, ...]
    values_ms: tuple[float, ...]
    planned_ms: float | None
    full_at_per_h: float


@dataclass(frozen=True, slots=True)
class Curves:
    """`workers` by tier at each of `loads_per_h`; `responses` of each size, of `kind` and `percentile`."""

    kind: str
    percentile: str
    limit_ms: float | None
    loads_per_h: tuple[float, ...]
    workers: dict[str, tuple[int, ...]]
    responses: tuple[Response, ...]


def curves(
    measured: Measured,
    sizer: Sizer,
    times: ResponseTimes,
    of: tuple[str, str, float | None],
    planned: Sequence[tuple[float, Sequence[int]]],
) -> Curves:
    """`of` is page kind, percentile and limit in ms; `planned` shoppers per hour, ascending, with workers."""
    kind, percentile, limit_ms = of
    first, last = planned[0][0] / _MARGIN, planned[-1][0] * _MARGIN
    step = math.log(last / first) / (_POINTS - 1)
    loads_per_h = tuple(first * math.exp(step * number) for number in range(_POINTS))
    by_load = [sizer.workers(load / 3600 * measured.requests_per_session) for load in loads_per_h]
    tiers = [demand.tier for demand in measured.demands]

    def percentile_ms(counts: Sequence[int], load_per_h: float) -> float | None:
        requests_per_s = load_per_h / 3600 * measured.requests_per_session
        stations = map(partial(sizer.station, requests_per_s=requests_per_s), measured.demands, counts)
        return times.percentile_ms(kind, PERCENTILES[percentile], list(stations))

    return Curves(
        kind=kind,
        percentile=percentile,
        limit_ms=limit_ms,
        loads_per_h=loads_per_h,
        workers={tier: tuple(counts[column] for counts in by_load) for column, tier in enumerate(tiers)},
        responses=tuple(
            _response(load, _full_at_per_h(measured, counts), partial(percentile_ms, counts))
            for load, counts in planned
            if times.known(kind)
        ),
    )


def _full_at_per_h(measured: Measured, counts: Sequence[int]) -> float:
    """Shoppers per hour at which the first tier is full."""
    return min(
        count / demand.seconds / measured.requests_per_session * 3600
        for demand, count in zip(measured.demands, counts, strict=True)
        if demand.seconds > 0
    )


def _response(planned_per_h: float, full_per_h: float, value_ms: Callable[[float], float | None]) -> Response:
    points = [(share * full_per_h, value_ms(share * full_per_h)) for share in _FILLED]
    known = [(load, value) for load, value in points if value is not None]
    return Response(
        planned_for_per_h=planned_per_h,
        loads_per_h=tuple(load for load, _ in known),
        values_ms=tuple(value for _, value in known),
        planned_ms=value_ms(planned_per_h),
        full_at_per_h=full_per_h,
    )
