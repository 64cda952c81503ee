"""What two files of a run cannot both be right about; pure. Numbers that contradict each other give no verdict.

Each file by itself was well-formed, or the run would not have been read. Files of two runs in one directory, a clock
that was set while a run went on, and rows that somebody edited or lost show here.
"""

from collections import Counter
from collections.abc import Iterator

import pandas as pd

from analysis.recording import Recording
from loadgen.records import FAILURE_CLASSES, FUNNEL_STEPS

# Wall clocks of one machine against its monotonic one, a last flush, a slow end: no contradiction yet.
_CLOCK_S = 5.0
# After the end of the load the books are fetched, which may take minutes on a slow shop.
_BORNE_S = 300.0


def contradictions(recording: Recording) -> Iterator[str]:
    """A sentence for everything that cannot be."""
    yield from _ends_before_it_began(recording)
    yield from _other_start(recording)
    yield from _lasts_longer(recording)
    yield from _outside(recording)
    yield from _counted_less(recording)
    yield from _failed_more_than_asked(recording.counters)
    yield from _parts_above_wholes(recording.counters)
    yield from _reached_without_arriving(recording.funnel)
    yield from _paid_without_an_order(recording)


def _ends_before_it_began(recording: Recording) -> Iterator[str]:
    manifest = recording.manifest
    if manifest.ended_at is not None and manifest.ended_at < manifest.started_at:
        before_s = manifest.started_at - manifest.ended_at
        yield f"The run ended {before_s:,.0f} s before it started, says manifest.json: a clock was set meanwhile."


def _other_start(recording: Recording) -> Iterator[str]:
    """The log's head has milliseconds."""
    logged = recording.log_started_at
    if logged is not None and abs(logged - recording.manifest.started_at) > _CLOCK_S:
        apart_s = abs(logged - recording.manifest.started_at)
        yield f"latency.hlog began {apart_s:,.0f} s away from manifest.json's start: they are of two runs."


def _lasts_longer(recording: Recording) -> Iterator[str]:
    manifest = recording.manifest
    if manifest.ended_at is None or not manifest.complete:
        return
    lasted_s = manifest.ended_at - manifest.started_at
    if lasted_s >= 0 and recording.end_s - 1 > lasted_s + _CLOCK_S:
        yield (
            f"The run lasted {lasted_s:,.0f} s, says manifest.json, but its record goes on to second "
            f"{recording.end_s - 1:,.0f}."
        )


def _outside(recording: Recording) -> Iterator[str]:
    """Instants of events and attempts against the run's own stretch of time."""
    manifest = recording.manifest
    ended_at = manifest.ended_at if manifest.ended_at is not None else float("inf")
    for file, instants in (
        ("events.jsonl", [event.at for event in recording.events]),
        ("ledger.jsonl", [line.at for line in recording.ledger]),
    ):
        early = sum(at < manifest.started_at - _BORNE_S for at in instants)
        late = sum(at > max(ended_at, manifest.started_at + recording.end_s) + _BORNE_S for at in instants)
        if early or late:
            yield (
                f"{early + late:,} of {len(instants):,} lines of {file} lie before the run's start or after its end: "
                "a clock was set meanwhile, or they are of another run."
            )


def _counted_less(recording: Recording) -> Iterator[str]:
    """Every timed request is counted too; requests that nobody timed are counted only."""
    if not recording.manifest.complete:
        return  # a killed process leaves one file a second behind the other
    counted = recording.counters.groupby("page_kind")["request_count"].sum()
    all_timed: Counter[str] = Counter()
    for tag, timed in recording.intervals.totals():
        if tag.measure == "response_time":
            all_timed[tag.page_kind] += timed
    for kind, timed in all_timed.items():
        count = int(counted.get(kind, 0))
        if timed > count:
            yield f"latency.hlog holds {timed:,} response times of {kind}, but counters.csv counts {count:,} requests."


def _reached_without_arriving(funnel: pd.DataFrame) -> Iterator[str]:
    arrived = int(funnel["arrived_count"].sum())
    for step in FUNNEL_STEPS:
        if (reached := int(funnel[f"{step}_count"].sum())) > arrived:
            yield f"funnel.csv has {reached:,} sessions that reached {step}, but only {arrived:,} that arrived."


def _paid_without_an_order(recording: Recording) -> Iterator[str]:
    """A shopper who paid placed an order: without its line, the shop's books would seem to hold too many."""
    paid = int(recording.funnel["paid_count"].sum())
    placed = sum(line.action == "place_order" for line in recording.ledger)
    if recording.truth is not None and recording.manifest.complete and placed < paid:
        yield f"funnel.csv has {paid:,} sessions that paid, but ledger.jsonl only {placed:,} orders that were tried."


def _failed_more_than_asked(counters: pd.DataFrame) -> Iterator[str]:
    """Second by second; of the seconds that cannot be, the first."""
    sums = counters.groupby(["elapsed_s", "page_kind"])[["request_count", "failed_count"]].sum()
    worse = sums[sums["failed_count"] > sums["request_count"]]
    for row in worse.head(1).reset_index().to_dict("records"):
        told = f"{row['failed_count']:,} of {row['request_count']:,} requests of {row['page_kind']}"
        yield f"counters.csv says that in second {row['elapsed_s']} {told} failed."


def _parts_above_wholes(counters: pd.DataFrame) -> Iterator[str]:
    """Sums over the run by page kind: late counts may stand in rows of their own."""
    sums = counters.groupby("page_kind").sum()
    classes = sums[[f"failed_{name}_count" for name in FAILURE_CLASSES]].sum(axis="columns")
    wholes = (
        ("failures by class", classes, "failed_count", sums["failed_count"]),
        ("cacheable_hit_count", sums["cacheable_hit_count"], "cacheable_count", sums["cacheable_count"]),
        ("cacheable_count", sums["cacheable_count"], "request_count", sums["request_count"]),
    )
    for part, parts, whole, totals in wholes:
        for kind in sums.index[parts > totals]:
            yield f"counters.csv has more {part} than {whole} for {kind}: {parts[kind]:,} of {totals[kind]:,}."
