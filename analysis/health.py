"""Whether the generator kept up: the seconds of a run in which it was itself the bottleneck; pure.

Where it was, slow answers may be the generator's own slowness, so those seconds are invalid, and too many of them leave
the run without a verdict.
"""

import math
from collections import Counter, defaultdict
from dataclasses import dataclass

import pandas as pd

from analysis.recording import Recording
from analysis.validity import CPU_LIMIT_RATIO, LOOP_LAG_LIMIT_US, SCHEDULE_LAG_LIMIT_US, is_late, stuck_seconds
from loadgen.histogram import Histogram
from loadgen.records import Json
from loadgen.tally import Tally

# One second in ten may be bad (a garbage collection, a noisy neighbour) before percentiles up to p90 are in doubt.
VALID_RATIO_NEEDED = 0.9
# In a run of a few seconds a single noisy one is borne all the same.
_ALWAYS_BORNE_S = 1
# The share of a core up to which a worker is planned to be used: what `add generators` aims at.
PLANNED_CPU_RATIO = 0.6
_WORDS = {
    "loop_lag": f"loop lag above {LOOP_LAG_LIMIT_US // 1000} ms",
    "schedule_lag": f"schedule lag p99 above {SCHEDULE_LAG_LIMIT_US // 1000} ms",
    "cpu": f"a worker above {CPU_LIMIT_RATIO:.0%} of a core",
    "worker_lost": "a worker lost",
}


@dataclass(frozen=True, slots=True)
class Health:
    """Seconds judged and seconds found invalid, by reason; figures are None where nothing was measured."""

    judged_s: int
    invalid_by_second: tuple[int, ...]
    reasons: tuple[tuple[str, int], ...]
    worker_count: int
    lost_count: int
    needed_count: int
    schedule_lag_p99_ms: float | None
    loop_lag_max_ms: float | None
    cpu_max_ratio: float | None
    measured: bool

    @property
    def valid_ratio(self) -> float | None:
        """The share of judged seconds in which the generator kept up."""
        return 1 - len(self.invalid_by_second) / self.judged_s if self.measured and self.judged_s else None

    @property
    def sufficient(self) -> bool:
        """Whether enough seconds are valid for a verdict, and nothing is missing that a lost worker had counted."""
        if self.valid_ratio is None or self.lost_count:
            return False
        return self.valid_ratio >= VALID_RATIO_NEEDED or len(self.invalid_by_second) <= _ALWAYS_BORNE_S < self.judged_s

    @property
    def sentence(self) -> str:
        """What was found, and the remedy when it was too much."""
        if self.valid_ratio is None:
            return "The generator recorded nothing about itself, so nothing proves that it kept up."
        if not self.invalid_by_second and not self.lost_count:
            return f"The generator kept up in all {self.judged_s} seconds."
        why = ", ".join(f"{_WORDS[reason]} in {count}" for reason, count in self.reasons)
        found = f"The generator was the bottleneck in {len(self.invalid_by_second)} of {self.judged_s} seconds"
        found += f" ({why})" if why else ""
        if self.sufficient:
            return f"{found}; that is few enough for a verdict."
        if self.lost_count:
            found += (
                f"; {self.lost_count} of {self.worker_count} workers was lost with what it counted in its last second"
            )
        return f"{found}; {self._remedy}."

    @property
    def _remedy(self) -> str:
        used = self.cpu_max_ratio or 0.0
        add = f"add generators: this needs about {self.needed_count} (--generators {self.needed_count})"
        if self.lost_count:
            # A worker that its load leaves no time to say that it is alive counts as lost.
            more = f", and {add}" if used > CPU_LIMIT_RATIO else ""
            return f"see in the generator's log why it ended, and run again{more}"
        if used > PLANNED_CPU_RATIO:
            return add
        return "its processor was busy with something else: leave it to the generator, and run again"

    def as_json(self) -> dict[str, Json]:
        """The figures as they stand in summary.json."""
        return {
            "valid_ratio": self.valid_ratio,
            "judged_s": self.judged_s,
            "invalid_s": len(self.invalid_by_second),
            "invalid_by_reason_s": dict(self.reasons),
            "worker_count": self.worker_count,
            "workers_lost_count": self.lost_count,
            "schedule_lag_p99_ms": self.schedule_lag_p99_ms,
            "loop_lag_max_ms": self.loop_lag_max_ms,
            "cpu_max_ratio": self.cpu_max_ratio,
        }


def health(recording: Recording, steady: Tally) -> Health:
    """Judges the steady phase, or all that was recorded when the run never got there."""
    start, end = recording.steady
    if start >= end:
        start, end = 0, int(recording.end_s)
    found = _invalid(recording, end)
    invalid = {second: reasons for second, reasons in found.items() if start <= second < end}
    counts = Counter(reason for reasons in invalid.values() for reason in reasons)
    workers = _worker_rows(recording)
    worked = workers[(workers["elapsed_s"] >= start) & (workers["elapsed_s"] < end)]
    cpu = float(worked["cpu_ratio"].max()) if len(worked) else None
    count = len(recording.manifest.workers) or int(workers["role"].nunique())
    schedule_lag = steady.lag("schedule_lag")
    # A loop that came back late had work for a whole core, however much of one others left to it.
    standing = counts["loop_lag"] / (end - start) if end > start else 0.0
    return Health(
        judged_s=end - start,
        invalid_by_second=tuple(sorted(invalid)),
        reasons=tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0]))),
        worker_count=count,
        lost_count=sum(absence.for_good for absence in _absences(recording)),
        needed_count=max(count + 1, math.ceil(count * _work(max(cpu or 0.0, standing), schedule_lag, end - start))),
        schedule_lag_p99_ms=_ms(schedule_lag, 99.0),
        loop_lag_max_ms=_ms(steady.lag("loop_lag"), 100.0),
        cpu_max_ratio=cpu,
        measured=steady.lag("loop_lag").count > 0,
    )


def _invalid(recording: Recording, end: int) -> dict[int, set[str]]:
    """Invalid seconds of the whole run, with their reasons."""
    found: defaultdict[int, set[str]] = defaultdict(set)
    for second, _, lag in recording.intervals.by_second("loop_lag"):
        for stuck in stuck_seconds(second, lag):
            found[stuck].add("loop_lag")
    schedule: defaultdict[int, Histogram] = defaultdict(Histogram)
    for second, _, lag in recording.intervals.by_second("schedule_lag"):
        schedule[second].merge(lag)
    for second, lag in schedule.items():
        if is_late(lag):
            found[second].add("schedule_lag")
    workers = _worker_rows(recording)
    for second in workers.loc[workers["cpu_ratio"] > CPU_LIMIT_RATIO, "elapsed_s"]:
        found[int(second)].add("cpu")
    for absence in _absences(recording):
        # Its arrivals stay undelivered until it is back or the run ends, whoever joins later.
        for second in range(absence.from_s, min(end, absence.to_s)):
            found[second].add("worker_lost")
    return dict(found)


@dataclass(frozen=True, slots=True)
class _Absence:
    """A lost worker, from the first second that it did not hand in to the one in which it came back."""

    from_s: int
    to_s: int
    for_good: bool


def _absences(recording: Recording) -> list[_Absence]:
    found: list[_Absence] = []
    for event in recording.events_of("worker_lost"):
        handed_in_s = event.detail.get("handed_in_s")
        from_s = int(handed_in_s if isinstance(handed_in_s, int | float) else recording.elapsed_s(event.at))
        back = [
            math.ceil(recording.elapsed_s(other.at))
            for other in recording.events_of("worker_returned")
            if other.detail.get("worker") == event.detail.get("worker") and other.at >= event.at
        ]
        found.append(_Absence(max(0, from_s), min(back, default=math.ceil(recording.end_s)), for_good=not back))
    return found


def _work(wanted_ratio: float, schedule_lag: Histogram, judged_s: int) -> float:
    """How many generators the load needs for each that there was, each used as planned.

    `wanted_ratio` is the share of a core that each had work for. Sessions that began L seconds late at the end of T
    seconds were T - L seconds' worth of what was to begin.
    """
    behind_s = min(schedule_lag.max_us / 1_000_000, judged_s * 0.9)
    return wanted_ratio / PLANNED_CPU_RATIO * judged_s / max(judged_s - behind_s, 1e-9)


def _worker_rows(recording: Recording) -> pd.DataFrame:
    tiers = recording.tiers
    return tiers[(tiers["tier"] == "generator") & (tiers["role"] != "master")]


def _ms(histogram: Histogram, percent: float) -> float | None:
    return histogram.percentile_us(percent) / 1000 if histogram.counts else None
