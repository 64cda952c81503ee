"""What a capacity search may do: rates, precision, seconds. Checked when made."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from loadgen.errors import ConfigProblem
from lonjak.capacity.observation import Criterion, Share


@dataclass(frozen=True, slots=True)
class SearchPlan:
    """Rates in sessions/s, times in whole seconds. Raises ConfigProblem with everything that is wrong.

    The answer's two sides are tested `resolution_ratio` apart. `confidence` is that of each step's decision and of the
    answer's interval. A step is given `settling_s` that do not count, then at least `shortest_s` and at most
    `longest_s` that do; all steps together take no more than `budget_s`.
    """

    criteria: tuple[Criterion, ...]
    start_per_s: float
    lowest_per_s: float
    highest_per_s: float
    resolution_ratio: float = 0.05
    confidence: float = 0.95
    settling_s: int = 5
    shortest_s: int = 6
    longest_s: int = 30
    budget_s: int = 300

    def __post_init__(self) -> None:
        if problems := list(self._problems()):
            raise ConfigProblem(problems)

    def _problems(self) -> Iterator[str]:
        rates = (self.lowest_per_s, self.start_per_s, self.highest_per_s)
        if not all(math.isfinite(rate) and rate > 0 for rate in rates) or list(rates) != sorted(rates):
            lowest, start, highest = rates
            yield (
                f"rates of a capacity search are above 0 and lowest <= start <= highest,"
                f" not {lowest:g}, {start:g}, {highest:g} sessions/s"
            )
        if not 0.005 <= self.resolution_ratio <= 0.5:
            yield f"the resolution of a capacity search is 0.005 to 0.5, not {self.resolution_ratio:g}"
        if not 0.5 < self.confidence < 1:
            yield f"the confidence of a capacity search lies between 0.5 and 1, not at {self.confidence:g}"
        if self.settling_s < 0 or not 4 <= self.shortest_s <= self.longest_s:
            yield (
                f"a step settles for 0 s or more and counts for 4 s or more, shortest <= longest,"
                f" not {self.settling_s}, {self.shortest_s}, {self.longest_s} s"
            )
        if self.budget_s < (needed_s := self.settling_s + self.shortest_s):
            yield f"a budget of {self.budget_s} s is too small for one step, which takes {needed_s} s"
        if not self.criteria:
            yield "a capacity search needs at least one objective that tells a good second from a bad one"
        names = [criterion.name for criterion in self.criteria]
        yield from (f"objective {name!r} is given twice" for name in sorted(set(names)) if names.count(name) > 1)
        for criterion in self.criteria:
            if isinstance(criterion, Share) and not 0 < criterion.bound < 1:
                yield f"objective {criterion.name!r}: its bound lies between 0 and 1, not at {criterion.bound:g}"
