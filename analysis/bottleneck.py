"""Which tier gives out first, with its evidence: from tiers.csv, queues.csv and caches.csv of the steady phase; pure.

A tier gives out when what it has is all in use and somebody waits for it, or is refused: operational analysis
(P. J. Denning and J. P. Buzen, Computing Surveys 10, 1978) on what the tiers themselves say. What is waited for behind
fills the places before it (they hold one while they wait), so of several tiers with queues the one farthest from the
shopper is named. A tier whose processor is at its limit answers late whatever it is asked, and makes others look full:
it comes before all queues.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from analysis.demand import GENERATOR
from analysis.recording import Recording
from loadgen.records import CACHE_WORDS, GATEWAY, PARSER, Json

# An event loop, or a processor, of which less than a tenth is left has a queue that grows without bound.
_FULL_RATIO = 0.9
# A quota is full when the kernel held the tier back in most of its periods.
_HELD_BACK_RATIO = 0.5
# Somebody waits at a look now and then in any shop; in most looks only where there is too little.
_WAITING_RATIO = 0.5
_LONG_WAIT_S = 0.05  # for a connection: several queries' worth
_REFUSED_RATIO = 0.02
_LEAST_LOOKS = 3
# From the shopper inwards; what is not here stands before all of them.
_DEPTH = {tier: depth for depth, tier in enumerate(("front", "edge", "shield", "link", "shop", "database", "payment"))}
_ANSWERED_BY_ITSELF = CACHE_WORDS[-1]


@dataclass(frozen=True, slots=True)
class Bottleneck:
    """The tier that gives out, and why: sentences, the deciding one first."""

    tier: str
    evidence: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """What a reader needs to know."""
        return f"The {self.tier} gives out first: {self.evidence[0]}."

    def as_json(self) -> dict[str, Json]:
        """`bottleneck` in summary.json."""
        return {"tier": self.tier, "sentence": self.sentence, "evidence": list(self.evidence)}


@dataclass(frozen=True, slots=True)
class _Sign:
    """One piece of evidence against a tier; a processor's weighs more than a queue's."""

    tier: str
    told: str
    of_processor: bool = False
    use: float = 0.0

    @property
    def weight(self) -> tuple[bool, float, int]:
        """To find the heaviest."""
        depth = _DEPTH.get(self.tier, -1)
        return (True, self.use, depth) if self.of_processor else (False, 0.0, depth)


def bottleneck(recording: Recording) -> Bottleneck | None:
    """The tier that gives out; None when none does, or nothing that would tell was recorded."""
    signs = [*_processors(recording), *_quotas(recording), *_queues(recording), *_refused_by_edge(recording)]
    if not signs:
        return None
    heaviest = max(signs, key=lambda sign: sign.weight)
    own = [sign.told for sign in signs if sign.tier == heaviest.tier and sign is not heaviest]
    others = [f"seen at the {sign.tier} as well: {sign.told}" for sign in signs if sign.tier != heaviest.tier]
    return Bottleneck(heaviest.tier, (heaviest.told, *own, *others))


def busiest(recording: Recording) -> tuple[str, float] | None:
    """The tier that uses most processor, in cores, in the steady phase; None where nobody looked."""
    means = _cores(recording)
    return max(means.items(), key=lambda item: item[1]) if means else None


def _cores(recording: Recording) -> Mapping[str, float]:
    steady = recording.steady_rows(recording.tiers_by_second)
    means = steady[steady["tier"] != GENERATOR].groupby("tier")["cpu_ratio"].mean()
    return {str(tier): float(value) for tier, value in means.items()}


def _processors(recording: Recording) -> Iterator[_Sign]:
    """Processors that the stack shares, and event loops that use all of one."""
    cores = _cores(recording)
    total, there = sum(cores.values()), len(recording.manifest.cpu_sets.get("stack", ()))
    if there and total >= _FULL_RATIO * there:
        tier = max(cores, key=lambda name: cores[name])
        told = (
            f"{total:.2f} of the stack's {there} processor{'' if there == 1 else 's'} are in use, "
            f"{cores[tier]:.2f} by the {tier}"
        )
        yield _Sign(tier, told, of_processor=True, use=cores[tier])
    steady = recording.steady_rows(recording.tiers)
    by_process = steady[~steady["tier"].isin((GENERATOR, "database"))].groupby(["tier", "role"])["cpu_ratio"].mean()
    for name, ratios in by_process.groupby(level="tier"):
        if len(ratios) and float(ratios.min()) >= _FULL_RATIO:
            told = f"each of its {len(ratios)} processes has {float(ratios.min()):.0%} of a core in use or more"
            yield _Sign(str(name), told, of_processor=True, use=float(ratios.sum()))


def _quotas(recording: Recording) -> Iterator[_Sign]:
    """Tiers that the kernel holds to a share of a processor."""
    cores = _cores(recording)
    for (tier, queue), looks in _looks(recording):
        periods = int(looks["passed_count"].sum())
        if queue != "cpu" or not periods:
            continue
        held = int(looks["refused_count"].sum()) / periods
        limit = float(looks["limit"].max())
        use = cores.get(tier, 0.0) / limit if limit > 0 else 0.0
        if held >= _HELD_BACK_RATIO or use >= _FULL_RATIO:
            told = (
                f"it may use {limit:g} of a core and uses {cores.get(tier, 0.0):.3g}; the kernel held it back in "
                f"{held:.0%} of its periods"
            )
            yield _Sign(tier, told, of_processor=True, use=held)


def _queues(recording: Recording) -> Iterator[_Sign]:
    """Places, connections and desks for which somebody waits most of the time, or which refuse."""
    for (tier, queue), looks in _looks(recording):
        if queue == "cpu" or len(looks) < _LEAST_LOOKS:
            continue
        waiting = float((looks["waiting_count"] > 0).mean())
        if waiting >= _WAITING_RATIO:
            yield _Sign(tier, _told_of_waiting(queue, looks, waiting))
        passed, waited_s = int(looks["passed_count"].sum()), float(looks["waited_s"].sum())
        if queue == "connections" and passed and waited_s / passed >= _LONG_WAIT_S:
            yield _Sign(tier, f"a connection was waited for {waited_s / passed * 1000:,.0f} ms on average")
        refused = int(looks["refused_count"].sum())
        if queue == "calls" and refused > _REFUSED_RATIO * (passed + refused):
            yield _Sign(tier, f"{refused:,} payments were refused before they were tried, and {passed:,} tried")
        if queue == "places" and refused > _REFUSED_RATIO * _asked(recording):
            yield _Sign(tier, f"{refused:,} requests found no place and none in the queue, and were refused")
    yield from _accept_queues(recording)


def _told_of_waiting(queue: str, looks: pd.DataFrame, waiting: float) -> str:
    names = {"places": "requests wait for a place", "connections": "requests wait for a connection"}
    what = names.get(queue, f"{queue} wait to be served")
    limit = float(looks["limit"].max())
    of = f" with {looks['in_use'].mean():.3g} of {limit:g} in use" if limit else ""
    return f"{what} at {waiting:.0%} of the looks, {looks['waiting_count'].mean():.3g} on average,{of or ' all in use'}"


def _accept_queues(recording: Recording) -> Iterator[_Sign]:
    """Connections that the tier is too busy to take in."""
    steady = recording.steady_rows(recording.tiers)
    for tier, rows in steady[steady["tier"] != GENERATOR].groupby("tier"):
        by_second = rows.groupby("elapsed_s")["queue_length"].max()
        if len(by_second) >= _LEAST_LOOKS and (by_second > 0).mean() >= _WAITING_RATIO:
            yield _Sign(str(tier), f"{by_second.mean():.3g} connections wait to be accepted, on average")


def _refused_by_edge(recording: Recording) -> Iterator[_Sign]:
    """Requests that a cache answered by itself, with an error: it takes no more than so many."""
    start, end = recording.steady
    counters = recording.steady_rows(recording.counters)
    caches = recording.steady_rows(recording.caches)
    local = caches[(caches["status"] == _ANSWERED_BY_ITSELF) & ~caches["cache"].isin((PARSER, GATEWAY))]
    refused = min(int(local["request_count"].sum()), int(counters["failed_http_5xx_count"].sum()))
    asked = int(counters["request_count"].sum())
    if end > start and refused > _REFUSED_RATIO * asked:
        yield _Sign("edge", f"it refused {refused:,} of {asked:,} requests by itself, with an error of the server's")


def _looks(recording: Recording) -> Iterator[tuple[tuple[str, str], pd.DataFrame]]:
    for (tier, queue), looks in recording.steady_rows(recording.queues).groupby(["tier", "queue"]):
        yield (str(tier), str(queue)), looks


def _asked(recording: Recording) -> int:
    return int(recording.steady_rows(recording.counters)["request_count"].sum())
