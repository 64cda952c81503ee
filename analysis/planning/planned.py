"""What a plan holds, as values: per size the shop, its traffic, its database, its cost; and all that it rests on."""

from dataclasses import dataclass

from analysis.bootstrap import Estimate
from analysis.planning.curves import Curves
from analysis.planning.measured import Measured
from analysis.planning.money import Cost
from analysis.planning.response import Ruling
from analysis.planning.sizing import Sizing
from analysis.planning.wishes import Load, Wishes
from loadgen.manifest import Manifest


@dataclass(frozen=True, slots=True)
class Traffic:
    """What shoppers are sent, at the peak and on average; a gigabyte is 10^9 bytes."""

    peak_mbit_per_s: float
    peak_gb_per_h: float
    mean_gb_per_h: float


@dataclass(frozen=True, slots=True)
class Database:
    """What the database has to bear at the peak.

    `busy` processors; `requests_per_s` of shoppers that need it; `at_work` of them at once, on average; `connections`
    if each of the shop's workers holds as many as in the run, None where nobody could count them.
    """

    busy: Estimate
    requests_per_s: float
    at_work: float
    connections: int | None


@dataclass(frozen=True, slots=True)
class SizedShop:
    """The shop for one load.

    `requests_per_s` at the front door at the peak; `response_ms` by page kind and percentile, None where the model has
    none; `full_at_per_h` shoppers per hour at which the tightest tier has no worker left.
    """

    load: Load
    requests_per_s: float
    sizing: Sizing
    response_ms: dict[str, dict[str, float | None]]
    full_at_per_h: float
    traffic: Traffic
    database: Database | None
    generators: Estimate
    cost: Cost | None

    @property
    def worker_count(self) -> int:
        """Workers of all tiers together."""
        return sum(tier.count for tier in self.sizing.tiers)


@dataclass(frozen=True, slots=True)
class Plan:
    """All sizes of a run's plan, ascending; `assumptions` are sentences."""

    manifest: Manifest
    measured: Measured
    wishes: Wishes
    rulings: tuple[Ruling, ...]
    sizes: tuple[SizedShop, ...]
    assumptions: tuple[str, ...]
    curves: Curves

    @property
    def tiers(self) -> tuple[str, ...]:
        """The planned tiers, in the order of the measured demands."""
        return tuple(demand.tier for demand in self.measured.demands)

    @property
    def broken(self) -> tuple[Ruling, ...]:
        """Objectives that no number of workers meets."""
        return tuple(held for held in self.rulings if held.broken)
