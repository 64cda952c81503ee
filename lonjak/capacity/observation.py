"""What a capacity search is told: which objectives count, and what each second of a step showed. Pure values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias


@dataclass(frozen=True, slots=True)
class Share:
    """An objective that bounds a share of requests: p95 < L says that at most 5 % of them may take L or longer.

    `name` is the objective as written; `bound`, 0..1 and neither of both, is the share of bad ones not to be reached.
    """

    name: str
    bound: float


@dataclass(frozen=True, slots=True)
class Level:
    """An objective on a rate or ratio per second that is no share of requests: orders per hour, hit ratio, goodput."""

    name: str
    comparator: Literal["<", "<=", ">", ">="]
    limit: float


Criterion: TypeAlias = Share | Level


@dataclass(frozen=True, slots=True)
class Second:
    """What one second of a step showed.

    `elapsed_s` counts whole seconds since the step's rate was set: 0 is the first. `offered_per_s` are sessions that
    arrived in it; where `generator_bound`, the generator and not the shop was the limit in it. `shares` holds by
    Share.name (bad, all) of the requests that *began* in it, `levels` the value by Level.name. `goodput_per_s` are ok
    requests that finished in it, `response_time_s` the mean of ok requests that began in it (0 where there are none).
    """

    elapsed_s: int
    offered_per_s: float
    generator_bound: bool
    shares: Mapping[str, tuple[int, int]]
    levels: Mapping[str, float]
    goodput_per_s: float
    response_time_s: float
