"""What a fault did: whether the objectives broke, when they held again, and what was lost meanwhile; pure.

Recovery follows the idea of OpenStack's reliability test plan (openstack/performance-docs, reliability/version_2): a
baseline before the fault, a sliding window after it, and "never recovered" as a value. Its measure here is the run's
own objectives: the shop has recovered at the first instant from which they hold in every window that begins in the next
`HOLD_S` seconds. Where the first of these windows begins before the fault's end and ends after it, the good seconds
behind the end may outweigh the bad ones before it: the shop has then recovered at the fault's end.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.recording import Recording
from loadgen.objectives import LATENCIES, Figures, Objective, Verdict, decide
from loadgen.records import Event, Json

# Long enough for a few dozen requests at a small rate, short enough to date a recovery.
WINDOW_S = 5
HOLD_S = 5
# What breaks later than this after a fault has ended is not blamed on it.
BLAME_S = 10
# Objectives on totals (orders, sessions) mean nothing in a window of seconds.
_WINDOWED = (*LATENCIES, "failed_ratio")
_ANYWHERE = ("run", "window")  # a phase's limits are its own, and a budget is there to be spent


@dataclass(frozen=True, slots=True)
class Recovery:
    """One fault; seconds from the start of the run, `recovered_s` from the fault's start.

    `disturbed` False: the objectives held throughout, `recovered_s` is 0. True with `recovered_s` None: they did not
    hold again before the load ended. None: it cannot be told, `sentence` says why.
    """

    fault: str
    at_s: float
    ended_s: float | None
    disturbed: bool | None
    recovered_s: float | None
    failed_count: int
    dropped_count: int
    p95_before_ms: float | None
    p95_during_ms: float | None
    sentence: str

    @property
    def until_s(self) -> float:
        """Where its shading ends: when it had ended and the objectives held again."""
        return max(self.ended_s or self.at_s, self.at_s + (self.recovered_s or 0.0))

    def as_json(self) -> dict[str, Json]:
        """The fault as it stands in summary.json."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class _Course:
    disturbed: bool | None
    recovered_s: float | None
    told: str


def recoveries(recording: Recording) -> tuple[Recovery, ...]:
    """Every fault of the run, in order."""
    started = recording.events_of("fault_started")
    nexts = [*(recording.elapsed_s(event.at) for event in started[1:]), recording.end_s]
    found: list[Recovery] = []
    quiet_since_s = float(recording.steady[0])
    for event, until_s in zip(started, nexts, strict=False):
        found.append(_recovery(recording, event, quiet_since_s, until_s))
        quiet_since_s = max(quiet_since_s, found[-1].until_s)
    return tuple(found)


def fault_name(event: Event) -> str:
    """A fault in words: what was done, to which process."""
    kind, process = str(event.detail.get("fault", "fault")), event.detail.get("role") or event.detail.get("tier")
    return f"{kind.replace('-', ' ')} {process}" if process else kind.replace("-", " ")


def _recovery(recording: Recording, event: Event, quiet_since_s: float, until_s: float) -> Recovery:
    """The fault of `event`, against the time since the last one was over, up to the next one."""
    at_s = recording.elapsed_s(event.at)
    ends = [recording.elapsed_s(end.at) for end in recording.events_of("fault_ended") if end.at >= event.at]
    ended_s = next((end for end in ends if end <= until_s), None)
    steady_end = float(recording.steady[1])
    last_s = min(until_s, steady_end) if at_s < steady_end else until_s
    before = recording.tally(quiet_since_s, int(at_s)).figures(1.0)
    course = _course(recording, before, at_s, ended_s or at_s, last_s)
    over_s = last_s if course.disturbed and course.recovered_s is None else at_s + (course.recovered_s or 0.0)
    during = recording.tally(int(at_s), max(over_s, ended_s or at_s, at_s + WINDOW_S)).figures(1.0)
    return Recovery(
        fault=fault_name(event),
        at_s=at_s,
        ended_s=ended_s,
        disturbed=course.disturbed,
        recovered_s=course.recovered_s,
        failed_count=int(_figure(during, "requests", "failed_count") or 0),
        dropped_count=int(_figure(during, "sessions", "dropped_count") or 0),
        p95_before_ms=_figure(before, "response_time_ms", "all", "p95"),
        p95_during_ms=_figure(during, "response_time_ms", "all", "p95"),
        sentence=course.told,
    )


def _course(recording: Recording, before: Figures, at_s: float, ended_s: float, last_s: float) -> _Course:
    """Whether and when the objectives broke after `at_s`, and when they held again before `last_s`."""
    objectives = [
        objective
        for objective in recording.objectives
        if objective.path[0] in _WINDOWED and objective.scope.kind in _ANYWHERE
    ]
    if not objectives:
        return _Course(None, None, "No objective on response times or failures was set, so recovery cannot be dated.")
    if _outcome(objectives, before) == "fail":
        return _Course(None, None, "The objectives did not hold before the fault either, so recovery cannot be dated.")
    last_window = int(last_s) - WINDOW_S
    blamed = range(int(at_s), min(int(ended_s) + BLAME_S, last_window) + 1)
    outcomes = _Outcomes(recording, objectives)
    broken = next((second for second in blamed if outcomes[second] == "fail"), None)
    if broken is None:
        if not any(outcomes[second] == "pass" for second in blamed):
            return _Course(None, None, "Too few requests followed the fault to tell whether the objectives held.")
        return _Course(False, 0.0, "The objectives held throughout: shoppers did not notice.")
    for second in range(broken + 1, last_window + 1):
        held = range(second, min(second + HOLD_S, last_window + 1))
        if outcomes[second] == "pass" and all(outcomes[later] != "fail" for later in held):
            recovered_s = _instant(second, ended_s) - at_s
            return _Course(True, recovered_s, f"The objectives broke, and held again {recovered_s:.1f} s after it.")
    return _Course(True, None, "The objectives broke, and did not hold again before the load ended.")


def _instant(second: int, ended_s: float) -> float:
    """When the shop had recovered, if the objectives hold from `second` on: the fault's end where a window spans it."""
    return max(second, ended_s) if second + WINDOW_S > ended_s else second


class _Outcomes:
    """What the objectives amount to in the window from a second on; worked out once, when asked for."""

    def __init__(self, recording: Recording, objectives: Sequence[Objective]) -> None:
        self._recording, self._objectives = recording, objectives
        self._known: dict[int, Verdict] = {}

    def __getitem__(self, second: int) -> Verdict:
        if second not in self._known:
            wanted = [objective.path for objective in self._objectives]
            figures = self._recording.tally(second, second + WINDOW_S).figures(WINDOW_S, wanted)
            self._known[second] = _outcome(self._objectives, figures)
        return self._known[second]


def _outcome(objectives: Sequence[Objective], figures: Figures) -> Verdict:
    """fail when any objective fails, pass when any holds and none fails, else unknown: too little was measured."""
    outcomes = {decide(objective, figures).outcome for objective in objectives}
    return "fail" if "fail" in outcomes else "pass" if "pass" in outcomes else "unknown"


def _figure(figures: Figures, *path: str) -> float | None:
    """The number at a path of a tally's figures, None where nothing was measured."""
    for part in path:
        figures = figures.get(part) if not isinstance(figures, int | float | None) else None
    return figures if isinstance(figures, int | float) else None
