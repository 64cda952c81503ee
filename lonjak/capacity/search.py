"""The capacity search: seconds in, next step out. No clock, no I/O: whoever feeds it offers the rate it asks for.

search = Search(plan)
while (step := search.step) is not None:
    offer step.rate_per_s until search.observe(second) returns another step, or search.step is None
search.result
"""

from statistics import fmean

from lonjak.capacity.bracket import bracket
from lonjak.capacity.finding import capacity
from lonjak.capacity.observation import Second
from lonjak.capacity.plan import SearchPlan
from lonjak.capacity.route import Proposal, propose
from lonjak.capacity.steps import Capacity, Step, StepResult
from lonjak.capacity.trial import Trial, Tried

__all__ = ["Capacity", "Search", "SearchPlan", "Step", "StepResult"]

# A backlog is gone when pages answer about as fast as in a step that held, this many seconds in a row.
_CALM_S = 2
_CALM_RATIO = 1.5
# At this ratio of a rate that holds the rest of what the shop can do goes into the backlog.
_DRAINING_RATIO = 0.5


class Search:
    """A search under way. Every second belongs to the step that `step` named when it was offered."""

    def __init__(self, plan: SearchPlan) -> None:
        self._plan = plan
        self._tried: list[Tried] = []
        self._used_s = 0
        self._index = 0
        self._trial: Trial | None = None
        self._draining: Step | None = None
        self._drained_s = 0
        self._calm_s = 0
        self._waiting: Proposal | None = None
        self._begin(Proposal(plan.start_per_s, "bracket"))

    @property
    def step(self) -> Step | None:
        """What is to be offered now; None when the search has ended."""
        if self._draining is not None:
            return self._draining
        return None if self._trial is None else self._trial.step

    def observe(self, second: Second) -> Step | None:
        """Take a second of the current step; the next step when the rate must change, else None.

        None also when the search has ended by it, which `step` tells. Seconds come in order, and none of an earlier
        step is handed over after the rate was changed.
        """
        if self._draining is not None:
            return self._drain(second)
        if self._trial is None or (tried := self._trial.add(second)) is None:
            return None
        return self._go_on(tried)

    @property
    def result(self) -> Capacity:
        """What is known by now; a step that is under way does not count yet."""
        return capacity(self._tried, self._plan)

    @property
    def _left_s(self) -> int:
        return self._plan.budget_s - self._used_s

    def _go_on(self, tried: Tried) -> Step | None:
        self._tried.append(tried)
        self._used_s += tried.result.seconds - self._drained_s
        self._drained_s = 0
        self._trial = None
        if (proposal := propose(self._tried, self._plan, self._left_s)) is None:
            return None
        # A generator that could not keep up leaves a backlog too, of its own and perhaps of the shop's.
        if tried.leaning == "above" or tried.result.outcome == "unknown":
            return self._begin_draining(proposal)
        return self._begin(proposal)

    def _begin(self, proposal: Proposal) -> Step:
        step = Step(self._next_index(), proposal.rate_per_s, proposal.purpose, self._plan.settling_s)
        self._trial = Trial(step, self._plan, self._drained_s, self._left_s)
        return step

    def _begin_draining(self, proposal: Proposal) -> Step:
        low_per_s = bracket(self._tried).low_per_s
        rate_per_s = self._plan.lowest_per_s if low_per_s is None else _DRAINING_RATIO * low_per_s
        rate_per_s = max(self._plan.lowest_per_s, min(rate_per_s, proposal.rate_per_s))
        longest_s = self._plan.longest_s
        self._draining = Step(self._next_index(), rate_per_s, proposal.purpose, longest_s, drains=True)
        self._waiting, self._drained_s, self._calm_s = proposal, 0, 0
        return self._draining

    def _drain(self, second: Second) -> Step | None:
        """Until pages answer as fast as when the shop held, or for as long as a step may take."""
        self._used_s += 1
        self._drained_s += 1
        self._calm_s = self._calm_s + 1 if self._is_calm(second) else 0
        if self._calm_s < _CALM_S and self._drained_s < self._plan.longest_s and self._left_s > 0:
            return None
        self._draining, waiting, self._waiting = None, self._waiting, None
        if waiting is None or self._left_s < self._plan.settling_s + self._plan.shortest_s:
            return None
        return self._begin(waiting)

    def _is_calm(self, second: Second) -> bool:
        held = [
            step.result.response_time_s
            for step in self._tried
            if step.result.outcome == "holds" and step.result.response_time_s is not None
        ]
        return bool(held) and 0 < second.response_time_s <= _CALM_RATIO * fmean(held)

    def _next_index(self) -> int:
        self._index += 1
        return self._index - 1
