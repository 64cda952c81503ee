"""Objectives held in every window or in each stretch of a phase: fed second by second, live and from the files alike.

Seconds come in ascending order and whole, each as a `Tally` of what was recorded in it. A window's sums are those of
the last one, plus the second that came, less the one that went: histograms are counts by bucket, so that merging and
taking out lose nothing, and a percentile of a window is that of all its requests.
"""

from bisect import bisect_right
from collections import deque
from dataclasses import dataclass, field, replace
from math import ceil
from typing import Protocol

from loadgen.objectives import Decision, Objective, decide
from loadgen.tally import Tally

_TOLD_LATE_S = 0.25  # a phase is told up to a fifth of a second after it began


@dataclass(slots=True)
class Phases:
    """The phases of a run in the order of their beginnings; a second belongs to the phase that holds all of it."""

    names: list[str] = field(default_factory=list)
    starts_s: list[int] = field(default_factory=list)

    def begin(self, name: str, at_s: float) -> None:
        """A phase begins `at_s` seconds after the run, and ends the one before it."""
        self.names.append(name)
        self.starts_s.append(ceil(at_s - _TOLD_LATE_S))

    def stretch(self, second: int) -> int | None:
        """Which of the phases a second belongs to, by its position; None before the first."""
        position = bisect_right(self.starts_s, second) - 1
        return position if position >= 0 else None


class Judge(Protocol):
    """Decides one objective from seconds."""

    @property
    def objective(self) -> Objective:
        """What it decides."""

    def see(self, second: int, tally: Tally) -> None:
        """Take in the next second."""

    def decision(self) -> Decision:
        """What the objective came to in the seconds seen so far."""


class _Worst:
    """The worst of several decisions on one objective; the first that could not be made outweighs those that hold."""

    def __init__(self) -> None:
        self.worst: Decision | None = None
        self.undecided: Decision | None = None
        self.count = 0
        self.undecided_count = 0

    def add(self, decision: Decision, at_s: int) -> None:
        """One more, of seconds that begin `at_s` after the run."""
        decision = replace(decision, at_s=at_s)
        self.count += 1
        if decision.outcome == "unknown" or decision.value is None:
            self.undecided_count += 1
            self.undecided = self.undecided or decision
        elif (
            self.worst is None or self.worst.value is None or decision.objective.worse(decision.value, self.worst.value)
        ):
            self.worst = decision

    def decision(self) -> Decision | None:
        """A miss, else a doubt, else the one that came nearest to a miss; None when there was none."""
        if self.worst is not None and self.worst.outcome == "fail":
            return self.worst
        return self.undecided or self.worst


class WindowJudge:
    """Holds an objective in every window that lies in the judged part, `start_s` up to, not including, `end_s`."""

    def __init__(self, objective: Objective, start_s: int, end_s: float) -> None:
        self.objective = objective
        self._length_s = objective.scope.window_s
        self._start_s, self._end_s = start_s, end_s
        self._inside: deque[Tally] = deque()
        self._sum = Tally()
        self._found = _Worst()

    def see(self, second: int, tally: Tally) -> None:
        """Take in the next second; those outside the judged part are passed over."""
        if not self._start_s <= second <= self._end_s - 1:
            return
        self._inside.append(tally)
        self._sum.add(tally)
        if len(self._inside) > self._length_s:
            self._sum.remove(self._inside.popleft())
        if len(self._inside) == self._length_s:
            figures = self._sum.figures(self._length_s, [self.objective.path])
            self._found.add(decide(self.objective, figures), second + 1 - self._length_s)

    def decision(self) -> Decision:
        """Fail when a window failed; unknown when one could not be decided; else pass."""
        found, objective = self._found.decision(), self.objective
        if found is None or found.at_s is None:
            told = f"{objective}: no window of {self._length_s} s lies in the judged part of the run"
            return Decision(objective, None, "unknown", told)
        where = f"in the window from {found.at_s} s to {found.at_s + self._length_s} s"
        if found.outcome == "unknown":
            share = f"{self._found.undecided_count} of {self._found.count} windows"
            return replace(found, reason=f"{found.reason} in {share}, first {where}: take a longer window")
        return replace(found, reason=_told(found, where))


class PhaseJudge:
    """Holds an objective in each stretch of a phase; `phases` may still grow."""

    def __init__(self, objective: Objective, phases: Phases) -> None:
        self.objective = objective
        self._phases = phases
        self._sums: dict[int, Tally] = {}
        self._lengths_s: dict[int, int] = {}

    def see(self, second: int, tally: Tally) -> None:
        """Take in the next second; those of other phases are passed over."""
        stretch = self._phases.stretch(second)
        if stretch is not None and self._phases.names[stretch] == self.objective.scope.phase:
            self._sums.setdefault(stretch, Tally()).add(tally)
            self._lengths_s[stretch] = self._lengths_s.get(stretch, 0) + 1

    def decision(self) -> Decision:
        """Fail when a stretch failed; unknown when one could not be decided, or none ever began; else pass."""
        return self._decision(over_only=False)

    def over(self) -> Decision:
        """The same of those stretches only that have ended."""
        return self._decision(over_only=True)

    def _decision(self, *, over_only: bool) -> Decision:
        worst, objective = _Worst(), self.objective
        for stretch, tally in self._sums.items():
            if not over_only or stretch + 1 < len(self._phases.names):
                figures = tally.figures(self._lengths_s[stretch], [objective.path])
                worst.add(decide(objective, figures), self._phases.starts_s[stretch])
        found = worst.decision()
        if found is None or found.at_s is None:
            had = ", ".join(dict.fromkeys(name for name in self._phases.names if name)) or "none"
            told = f"{objective}: no whole second of phase {objective.scope.phase} came; phases of this run: {had}"
            return Decision(objective, None, "unknown", told)
        return found if found.outcome == "unknown" else replace(found, reason=_told(found, f"from {found.at_s} s on"))


def _told(decision: Decision, where: str) -> str:
    word = "as" if decision.outcome == "pass" else "not"
    at_worst = "at worst " if decision.outcome == "pass" else ""
    return f"{decision.objective.name} is {at_worst}{decision.value:.4g} {where}, {word} {decision.objective.asked}"
