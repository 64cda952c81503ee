"""Whether a run can be compared: one that contradicts itself is refused, one that proves nothing is told; pure."""

from collections.abc import Sequence

from analysis.health import health
from analysis.recording import Recording
from loadgen.errors import RunDirectoryProblem, UsageProblem
from loadgen.records import FUNNEL_STEPS
from loadgen.rundir import RunDirectory

# Below this a percentile interval would be drawn from a handful of blocks.
LEAST_STEADY_S = 10
# One latency in a hundred may be missing: a worker that was killed takes its last second with it.
_MISSING_RATIO_BORNE = 0.01
_DROPPED_RATIO_BORNE = 0.01


def refuse_the_same(runs: Sequence[RunDirectory], recordings: Sequence[Recording]) -> None:
    """UsageProblem when two of the runs are one, or a copy of one: nothing differs by chance between them."""
    seen: dict[tuple[object, ...], RunDirectory] = {}
    for run, recording in zip(runs, recordings, strict=True):
        manifest = recording.manifest
        pids = tuple(worker.pid for worker in manifest.workers)
        key = (manifest.started_at, manifest.scenario, manifest.seed, manifest.ended_at, pids)
        if key in seen:
            raise UsageProblem(
                f"{run.path} is the same run as {seen[key].path}: "
                "compare two that were run, for instance the last one and the one before"
            )
        seen[key] = run


def refuse_contradictions(run: RunDirectory, recording: Recording) -> None:
    """RunDirectoryProblem when counts of a run cannot be true together."""
    for problem in (_of_counters(recording), _of_latencies(recording), _of_sessions(recording)):
        if problem:
            raise RunDirectoryProblem(f"{run.path} contradicts itself: {problem}; record it again")


def _of_counters(recording: Recording) -> str | None:
    counters = recording.counters
    sums = counters.groupby(["elapsed_s", "page_kind"])[["request_count", "failed_count"]].sum()
    worse = sums[sums["failed_count"] > sums["request_count"]]
    if len(worse):
        (second, kind), row = worse.index[0], worse.iloc[0]
        return (
            f"in second {second} {int(row['failed_count']):,} of {int(row['request_count']):,} requests "
            f"of {kind} failed"
        )
    return None


def _of_latencies(recording: Recording) -> str | None:
    counters = recording.counters
    answered = int(counters["request_count"].sum() - counters["failed_count"].sum())
    timed = sum(
        line.histogram.count
        for lines in recording.intervals.values()
        for line in lines
        if (line.tag.measure, line.tag.result) == ("response_time", "ok")
    )
    if abs(timed - answered) <= _MISSING_RATIO_BORNE * max(timed, answered) + 1 or not recording.manifest.complete:
        return None
    return f"latency.hlog times {timed:,} ok requests, counters.csv counts {answered:,}"


def _of_sessions(recording: Recording) -> str | None:
    funnel = recording.funnel
    arrived = int(funnel["arrived_count"].sum())
    for step in FUNNEL_STEPS:
        if (reached := int(funnel[f"{step}_count"].sum())) > arrived:
            return f"{reached:,} sessions reached {step}, and only {arrived:,} arrived"
    return None


def doubts(run: RunDirectory, recording: Recording) -> list[str]:
    """Why nothing can be said of a run, a sentence each; empty where something can."""
    found: list[str] = []
    manifest, (start, end) = recording.manifest, recording.steady
    if manifest.interrupted:
        found.append(f"{run.path} was interrupted after {recording.end_s:.0f} s.")
    elif not manifest.complete:
        found.append(f"{run.path} is incomplete: its record ends after {recording.end_s:.0f} s.")
    if recording.counters["request_count"].sum() == 0:
        return [*found, f"{run.path} recorded no request."]
    if end - start < LEAST_STEADY_S:
        return [*found, f"{run.path} has {max(0, end - start)} steady seconds, and {LEAST_STEADY_S} are needed."]
    generator = health(recording, recording.tally(start, end))
    if not generator.sufficient:
        found.append(f"{run.path}: {generator.sentence}")
    rows = recording.steady_rows(recording.funnel)
    dropped, arrived = int(rows["dropped_count"].sum()), int(rows["arrived_count"].sum())
    if dropped > _DROPPED_RATIO_BORNE * (dropped + arrived):
        found.append(f"{run.path}: {dropped:,} of {dropped + arrived:,} sessions that were due never began.")
    return found
