"""Between a search and a running load: seconds of the run's files in, lines of its control.jsonl out.

Nothing here waits: `look` is called a few times a second while the run goes on.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from typing import Protocol

from loadgen.capacity_study import CapacityRecord, SearchStep
from loadgen.histogram import Histogram
from loadgen.records import Json
from lonjak.capacity.observation import Second
from lonjak.capacity.seconds import Observed, RateChange, RunningSeconds
from lonjak.capacity.steps import Capacity, Step, StepResult

_TAKES_EFFECT_S = 0.5  # after the run has obeyed a wish for another rate
_MOST_STAY = 0.9  # of the sessions are over when the load of a new rate is what it will be


class Searching(Protocol):
    """A search, as it is steered by."""

    @property
    def step(self) -> Step | None:
        """What is to be offered now; None when the search is over."""

    @property
    def result(self) -> Capacity:
        """What is known so far."""

    def observe(self, second: Second) -> Step | None:
        """Take in a second of the current step; the new step when the rate must change."""


class Audience(Protocol):
    """Who watches the search."""

    def warming(self, elapsed_s: int) -> None:
        """The load has been on for so many seconds, and nothing is judged yet."""

    def going_on(self, elapsed_s: int, step: Step, second: Second, times: Histogram) -> None:
        """One more second of a step, `elapsed_s` of the run; `times` are the step's response times that count."""

    def ended(self, result: StepResult, times: Histogram) -> None:
        """A step is over."""


@dataclass(frozen=True, slots=True)
class Window:
    """Seconds of the run that a step was given, the last one excluded, from which on they counted."""

    from_s: int
    settled_s: int
    until_s: int


class Steering:
    """Steers one run until its search is over, or `until_s` seconds of it have passed.

    The search begins when the load has been on for `warmup_s`; `begin` makes it, and is told how many seconds a new
    rate takes to be what it will be. `on_step` hears whenever something has become known.
    """

    def __init__(
        self,
        seconds: RunningSeconds,
        started_at: float,
        control: Path,
        audience: Audience,
        *,
        begin: Callable[[int], Searching],
        on_step: Callable[[], None],
        warmup_s: int,
        until_s: int,
        rate_per_s: float,
    ) -> None:
        self._seconds, self._started_at, self._control = seconds, started_at, control
        self._audience, self._begin, self._on_step = audience, begin, on_step
        self._warmup_s, self._until_s = warmup_s, until_s
        self._rate_per_s = rate_per_s  # what is offered
        self._search: Searching | None = None
        self._step: Step | None = None
        self._from_s: int | None = None  # where the step begins; None until the run has obeyed
        self._changes = 0  # of the rate that were asked for
        self._seen_s = 0  # seconds of the step
        self._times = Histogram()
        self._windows: dict[int, Window] = {}
        self._told = 0
        self.over = False

    @property
    def record(self) -> CapacityRecord | None:
        """What is known so far; None before the search has begun."""
        return None if self._search is None else _record(self._search.result, self._windows)

    def look(self) -> None:
        """Take in the seconds that have become complete, and tell the run what follows from them."""
        for observed in self._seconds.new():
            if self.over:
                return
            self._take(observed)

    def _take(self, observed: Observed) -> None:
        elapsed_s = observed.second.elapsed_s
        if self._search is None:
            self._audience.warming(elapsed_s)
            if elapsed_s + 1 >= self._warmup_s:
                self._search = self._begin(self._seconds.usual_stay_s(_MOST_STAY))
                self._offer(self._search.step)
        elif self._step is not None and self._has_begun(elapsed_s):
            self._observe(self._search, self._step, observed)
        if elapsed_s + 1 >= self._until_s and not self.over:
            self._end()

    def _has_begun(self, elapsed_s: int) -> bool:
        """Whether the step's rate is offered in a second; once it is known from when on, what is older is forgotten."""
        if self._from_s is None and len(self._seconds.rates) >= self._changes:
            self._from_s = _first_whole(self._seconds.rates[self._changes - 1], self._started_at)
            self._seconds.forget_before(self._from_s)
        return self._from_s is not None and elapsed_s >= self._from_s

    def _observe(self, search: Searching, step: Step, observed: Observed) -> None:
        from_s = self._from_s or 0
        self._seen_s = observed.second.elapsed_s - from_s + 1
        if self._seen_s > step.settled_s:
            self._times.merge(observed.response_times)
        self._windows[step.index] = Window(from_s, from_s + step.settled_s, from_s + self._seen_s)
        following = search.observe(replace(observed.second, elapsed_s=self._seen_s - 1))
        self._audience.going_on(observed.second.elapsed_s, step, observed.second, self._times)
        if following is not None or search.step is None:
            self._tell(search)
            self._offer(search.step)

    def _tell(self, search: Searching) -> None:
        for result in search.result.steps[self._told :]:
            self._audience.ended(result, self._times)
            self._told += 1
        self._on_step()

    def _offer(self, step: Step | None) -> None:
        """Have the run offer a step's rate; no step ends it."""
        self._step, self._times, self._seen_s = step, Histogram(), 0
        if step is None:
            self._end()
            return
        self._say({"phase": f"step {step.index}"})
        if step.rate_per_s == self._rate_per_s:
            self._from_s = self._seconds.next_s
            return
        self._from_s, self._rate_per_s = None, step.rate_per_s
        self._changes += 1
        self._say({"set_rate": step.rate_per_s})

    def _end(self) -> None:
        self.over = True
        self._say({"stop": True})
        self._on_step()

    def _say(self, line: Mapping[str, Json]) -> None:
        with self._control.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def _first_whole(change: RateChange, started_at: float) -> int:
    """The first second in which nothing but a new rate is offered."""
    return max(0, ceil(change.at - started_at + _TAKES_EFFECT_S))


def _record(found: Capacity, windows: Mapping[int, Window]) -> CapacityRecord:
    return CapacityRecord(
        found=found.finding,
        rate_per_s=found.rate_per_s,
        low_per_s=found.low_per_s,
        high_per_s=found.high_per_s,
        confidence=found.confidence,
        beyond=found.beyond,
        sentence=found.sentence,
        steps=tuple(
            _step(result, windows[result.step.index]) for result in found.steps if result.step.index in windows
        ),
    )


def _step(result: StepResult, window: Window) -> SearchStep:
    return SearchStep(
        index=result.step.index,
        rate_per_s=result.step.rate_per_s,
        purpose=result.step.purpose,
        from_s=window.from_s,
        settled_s=min(window.settled_s, window.until_s),
        until_s=window.until_s,
        outcome=result.outcome,
        reason=result.reason,
        decided_by=result.criterion,
        figures=dict(result.figures),
    )
