"""One step while it runs: takes its seconds, rejects those that do not count, and says when and how it ends."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from lonjak.capacity.judging import figure, leaning, side
from lonjak.capacity.observation import Criterion, Second
from lonjak.capacity.plan import SearchPlan
from lonjak.capacity.sequential import Side
from lonjak.capacity.steadiness import grows
from lonjak.capacity.steps import Outcome, Step, StepResult

BEYOND_S = 12
_MOST_BOUND_RATIO = 0.2
_LEAST_BOUND_S = 3
_LEAST_OFFERED_RATIO = 0.95


@dataclass(frozen=True, slots=True)
class Tried:
    """A step that has ended, with the seconds of it that count.

    `leaning` says to which side an open one leans, None where its seconds say nothing; `limited` that the generator
    could not do it.
    """

    result: StepResult
    seconds: tuple[Second, ...]
    leaning: Side | None
    limited: bool

    @property
    def rate_per_s(self) -> float:
        """The step's rate."""
        return self.result.step.rate_per_s


@dataclass(frozen=True, slots=True)
class _Ending:
    outcome: Outcome
    reason: str
    criterion: str | None = None
    limited: bool = False


class Trial:
    """A running step. `drained_s` were spent before it for its sake; it ends after `left_s` whatever it has seen."""

    def __init__(self, step: Step, plan: SearchPlan, drained_s: int, left_s: int) -> None:
        self.step = step
        self._plan = plan
        self._drained_s = drained_s
        self._left_s = left_s
        self._seconds: list[Second] = []
        self._bound_s = 0
        self._passed_s = 0

    def add(self, second: Second) -> Tried | None:
        """Take one second; what the step showed when that was its last."""
        self._passed_s = max(self._passed_s, second.elapsed_s + 1)
        if second.elapsed_s >= self.step.settled_s:
            if second.generator_bound:
                self._bound_s += 1
            else:
                self._seconds.append(second)
        ending = self._ending()
        return None if ending is None else self._tried(ending)

    def stopped(self) -> Tried:
        """What the step showed until now, as nothing more will come."""
        return self._tried(self._last_word())

    def _ending(self) -> _Ending | None:
        counted_s = len(self._seconds) + self._bound_s
        if self._bound_s >= max(_LEAST_BOUND_S, _MOST_BOUND_RATIO * counted_s):
            reason = f"the generator was the limit in {self._bound_s} of {counted_s} s"
            return _Ending("unknown", reason, limited=True)
        if counted_s >= self._length_s or self._passed_s >= self._left_s:
            return self._last_word()
        if self.step.purpose in {"edge", "beyond"} or len(self._seconds) < self._plan.shortest_s:
            return None
        ending = self._decided()
        return None if ending.outcome in {"unknown", "unsteady"} and not ending.limited else ending

    @property
    def _length_s(self) -> int:
        longest_s = self._plan.longest_s
        return min(BEYOND_S, longest_s) if self.step.purpose == "beyond" else longest_s

    def _last_word(self) -> _Ending:
        if len(self._seconds) < self._plan.shortest_s:
            return _Ending("unknown", f"only {len(self._seconds)} s counted, {self._plan.shortest_s} s are needed")
        return self._decided()

    def _decided(self) -> _Ending:
        """What the seconds say; the first objective that fails is the reason, and all have to hold."""
        if (shortfall := self._shortfall()) is not None:
            return _Ending("unknown", shortfall, limited=True)
        criteria, error = self._plan.criteria, 1 - self._plan.confidence
        sides = {criterion.name: side(criterion, self._seconds, error / len(criteria)) for criterion in criteria}
        for criterion in criteria:
            if sides[criterion.name] == "above":
                return _Ending("fails", f"{criterion.name} fails: {self._figure(criterion)}", criterion.name)
        if grows([second.response_time_s for second in self._seconds]):
            for criterion in criteria:
                if leaning(criterion, self._seconds) == "above":
                    reason = f"{criterion.name} fails: {self._figure(criterion)}, and response times still grew"
                    return _Ending("fails", reason, criterion.name)
            return _Ending("unsteady", f"response times still grew after {self._passed_s} s")
        for criterion in criteria:
            if sides[criterion.name] is None and side(criterion, self._seconds, error) is None:
                return _Ending("unknown", f"{criterion.name} is open: {self._figure(criterion)}", criterion.name)
        return _Ending("holds", "every objective holds")

    def _figure(self, criterion: Criterion) -> str:
        found = figure(criterion, self._seconds)
        return "nothing to judge by" if found is None else f"{found:.4g} in {len(self._seconds)} s"

    def _shortfall(self) -> str | None:
        """A sentence where fewer sessions arrived than were meant to, by more than Poisson arrivals explain."""
        meant = self.step.rate_per_s * len(self._seconds)
        offered = math.fsum(second.offered_per_s for second in self._seconds)
        if offered >= _LEAST_OFFERED_RATIO * meant - 3 * math.sqrt(meant):
            return None
        return f"the generator offered {offered / len(self._seconds):.4g} of {self.step.rate_per_s:.4g} sessions/s"

    def _tried(self, ending: _Ending) -> Tried:
        criteria, seconds = self._plan.criteria, tuple(self._seconds)
        figures = {criterion.name: figure(criterion, seconds) for criterion in criteria}
        result = StepResult(
            step=self.step,
            outcome=ending.outcome,
            reason=ending.reason,
            seconds=self._drained_s + self._passed_s,
            criterion=ending.criterion,
            offered_per_s=_mean([second.offered_per_s for second in seconds]),
            goodput_per_s=_mean([second.goodput_per_s for second in seconds]),
            response_time_s=_mean([second.response_time_s for second in seconds if second.response_time_s]),
            figures={name: value for name, value in figures.items() if value is not None},
        )
        return Tried(result, seconds, _leaning(ending, criteria, seconds), ending.limited)


def _leaning(ending: _Ending, criteria: Sequence[Criterion], seconds: Sequence[Second]) -> Side | None:
    """A queue that still grows leans to failing, whatever its share of bad requests is by now."""
    if ending.limited or not seconds:
        return None
    if ending.outcome != "unknown":
        return "below" if ending.outcome == "holds" else "above"
    leanings = {leaning(criterion, seconds) for criterion in criteria}
    return None if None in leanings else "above" if "above" in leanings else "below"


def _mean(values: Sequence[float]) -> float | None:
    return fmean(values) if values else None
