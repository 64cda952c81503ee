"""What a plan needs of a recorded run: demands, the way of a request through the tiers, response times, the generator.

Between a `Recording` and the rest of this package, which works on `Measured` alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from analysis import bootstrap
from analysis.bootstrap import Estimate
from analysis.demand import Demand, Demands, demands
from analysis.planning.visits import DATABASE, SHOP, Visits
from analysis.recording import Recording
from analysis.steady_seconds import Counted, Seconds, seconds_of
from loadgen.errors import TooLittleKnown

ALL = "all"
# The load generator, a link that only stands for distance, and what works at its own pace beside shoppers.
_NOT_PLANNED = ("generator", "link", "backoffice", "purger")
# A cost whose interval is wider than so many times itself is not known.
_TOO_WIDE = 2.0
_ANOTHER_RUN = "record a longer one with more load, against a shop whose processes are known (`lonjak shop up`)"
_MASTER = "master"


@dataclass(frozen=True, slots=True)
class Measured:
    """One run as a plan sees it.

    `demands` holds one entry per tier, of the run's own mixture of pages; `visits` the share of requests at the front
    door that come by a tier, `kind_visits` the same by page kind, of tiers where that is known. `generator_s` is CPU
    seconds of generating processes per request. `connections_per_worker` is what the database held open per worker of
    the shop. Counts per session are means; `sessions_per_s` is what arrived in the steady phase.
    """

    demands: tuple[Demand, ...]
    visits: Mapping[str, float]
    kind_visits: Mapping[str, Mapping[str, float]]
    requests_per_session: float
    orders_per_session: float
    bytes_per_session: float
    sessions_per_s: float
    workers: Mapping[str, int]
    response_ms: Mapping[str, Counted]
    generator_s: Estimate
    connections_per_worker: float | None
    paths_logged: bool
    faults: tuple[str, ...]
    doubt: str | None

    def comes_by(self, tier: str, page_kind: str) -> float:
        """The share of requests for a page kind that come by a tier; where nobody knows, all of them."""
        if page_kind == ALL:
            return self.visits[tier]
        known = self.kind_visits.get(tier)
        return 1.0 if known is None else known.get(page_kind, 0.0)


def measured(recording: Recording, found: Demands | None = None) -> Measured:
    """Raises TooLittleKnown, with what to do next, when the run cannot say what a request costs.

    `found` are the run's demands if they are known already.
    """
    seconds = _steady(recording)
    found = found or demands(recording)
    of_tiers = _known(found)
    requests = _per_session(found.requests_per_session)
    sessions = recording.steady_rows(recording.funnel)["arrived_count"].sum() / seconds.total_s
    if not sessions > 0 or not requests > 0:
        raise TooLittleKnown(
            "no plan can be made of this run: it counts no session that arrived in its steady phase, so nobody knows "
            "what a shopper asks for; run a scenario, or a locustfile that counts sessions"
        )
    visits = Visits.of(recording)
    return Measured(
        demands=of_tiers,
        visits={demand.tier: visits.all_kinds.get(demand.tier, 1.0) for demand in of_tiers},
        kind_visits=visits.by_kind,
        requests_per_session=requests,
        orders_per_session=found.orders_per_session,
        bytes_per_session=found.bytes_per_session,
        sessions_per_s=float(sessions),
        workers=found.workers,
        response_ms=seconds.response_ms,
        generator_s=_generator_s(recording, seconds),
        connections_per_worker=_connections(recording, found.workers.get(SHOP, 0)),
        paths_logged=bool(visits.all_kinds),
        doubt=found.doubt,
        faults=tuple(
            dict.fromkeys(str(event.detail.get("fault", "")) for event in recording.events_of("fault_started"))
        ),
    )


def _steady(recording: Recording) -> Seconds:
    """The steady seconds; a run without them, or without any process of the shop, tells nothing."""
    if not set(recording.tiers["tier"]) - set(_NOT_PLANNED):
        raise TooLittleKnown(
            "no plan can be made of this run: tiers.csv tells of no process of the shop, so nobody knows what a "
            "request costs; run against a stack of this machine (`lonjak shop up`), or name a stack.json with --stack"
        )
    seconds = seconds_of([recording])
    if seconds.total_s < bootstrap.LEAST_S:
        raise TooLittleKnown(
            f"no plan can be made of this run: its steady phase has {seconds.total_s} s, and {bootstrap.LEAST_S} are "
            "needed; run again with a longer --duration"
        )
    return seconds


def _known(found: Demands) -> tuple[Demand, ...]:
    """What a request of the run's mixture costs each tier; TooLittleKnown where that is not known well enough."""
    known = tuple(demand for demand in found.of if demand.page_kind == ALL and demand.tier not in _NOT_PLANNED)
    costliest = max(known, key=lambda demand: demand.seconds, default=None)
    if costliest is None or not costliest.seconds > 0:
        why = (found.doubt or "No tier was seen working").rstrip(".")
        raise TooLittleKnown(f"no plan can be made of this run: {why}; {_ANOTHER_RUN}")
    if costliest.high_s - costliest.low_s > _TOO_WIDE * costliest.seconds:
        low_ms, high_ms = 1000 * costliest.low_s, 1000 * costliest.high_s
        raise TooLittleKnown(
            f"no plan can be made of this run: a request costs {costliest.tier} {low_ms:.3g} to {high_ms:.3g} ms of a "
            f"processor, and nobody knows how much in between; {_ANOTHER_RUN}"
        )
    return known


def _per_session(by_kind: Mapping[str, float]) -> float:
    return by_kind.get(ALL) or sum(by_kind.values())


def _generator_s(recording: Recording, seconds: Seconds) -> Estimate:
    """CPU seconds of the generating processes (not of the one that leads them) per request, probes included."""
    tiers = recording.steady_rows(recording.tiers)
    workers = tiers[(tiers["tier"] == "generator") & (tiers["role"] != _MASTER)]
    sampled = workers.groupby(["elapsed_s", "role"])["cpu_ratio"].mean().groupby(level="elapsed_s").sum()
    start, end = recording.steady
    used = sampled.reindex(range(start, end), fill_value=0.0).to_numpy(dtype=np.float64)
    if not used.sum() > 0:
        return bootstrap.NOTHING
    return bootstrap.ratio(used, seconds.asked, bootstrap.weights(seconds.lengths))


def _connections(recording: Recording, shop_workers: int) -> float | None:
    """Sockets that the database held open on average, by worker of the shop; None where nobody could count them."""
    tiers = recording.steady_rows(recording.tiers)
    held = tiers[tiers["tier"] == DATABASE].groupby("elapsed_s")["connection_count"].sum()
    if not len(held) or not held.sum() > 0 or not shop_workers:
        return None
    return float(held.mean()) / shop_workers
