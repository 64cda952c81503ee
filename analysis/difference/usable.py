"""Whether a run can be compared: one that contradicts itself is refused, one that proves nothing is told; pure."""

from collections.abc import Iterator, Sequence

from analysis.contradictions import contradictions
from analysis.health import health
from analysis.recording import Recording
from analysis.validity import too_many_dropped
from loadgen.errors import RunDirectoryProblem, UsageProblem
from loadgen.rundir import RunDirectory

# Below this a percentile interval would be drawn from a handful of blocks.
LEAST_STEADY_S = 10
# One latency in a hundred may be missing: a worker that was killed takes its last second with it.
_MISSING_RATIO_BORNE = 0.01


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
    """RunDirectoryProblem when files of a run cannot all be right."""
    for problem in (*contradictions(recording), *_missing_latencies(recording)):
        raise RunDirectoryProblem(f"{run.path} contradicts itself: {problem} Record it again.")


def _missing_latencies(recording: Recording) -> Iterator[str]:
    """More that was answered than timed: percentiles of what is left would be compared."""
    counters = recording.counters
    answered = int(counters["request_count"].sum() - counters["failed_count"].sum())
    totals = recording.intervals.totals()
    timed = sum(count for tag, count in totals if (tag.measure, tag.result) == ("response_time", "ok"))
    if recording.manifest.complete and answered - timed > _MISSING_RATIO_BORNE * answered + 1:
        yield f"latency.hlog times {timed:,} ok requests, counters.csv counts {answered:,}."


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
    if too_many_dropped(dropped, arrived):
        found.append(f"{run.path}: {dropped:,} of {dropped + arrived:,} sessions that were due never began.")
    return found
