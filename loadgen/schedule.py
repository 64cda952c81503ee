"""One worker's share of the arrivals that pacing draws: worker k of n takes every n-th, and n workers make the whole.

A change of the rate draws the rest of the run anew from the seed and the number of the change: the same changes at the
same instants give the same arrivals. Every worker draws all arrivals and keeps its own.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, islice

from loadgen.errors import UsageProblem
from loadgen.load import Load
from loadgen.pacing import constant_arrivals, from_instant, poisson_arrivals

NUMBERS_PER_CHANGE = 10**11  # more than the longest run at the highest rate needs: numbers stay unique over changes


@dataclass(frozen=True, slots=True)
class Share:
    """Worker `index` (0..count-1) of `count`."""

    index: int = 0
    count: int = 1


@dataclass(frozen=True, slots=True)
class Arrival:
    """Session `number` is to begin `due_s` seconds from the start of the run."""

    number: int
    due_s: float


def arrivals(load: Load, share: Share, change: int = 0, from_s: float = 0.0) -> Iterator[Arrival]:
    """The share's arrivals from `from_s` on, in order; those of the original plan, or of the rate's n-th change."""
    numbered = enumerate(_instants(load, change, from_s), start=change * NUMBERS_PER_CHANGE)
    for number, due_s in islice(numbered, share.index, None, share.count):
        if due_s >= from_s:
            yield Arrival(number, due_s)


class Schedule:
    """The arrivals still to come, in order; the rate of the rest may change."""

    def __init__(self, load: Load, share: Share) -> None:
        self._load = load
        self._share = share
        self._changes = 0
        self._rest = arrivals(load, share)
        self.next: Arrival | None = next(self._rest, None)

    def advance(self) -> None:
        """Go on to the next arrival."""
        self.next = next(self._rest, None)

    def set_rate(self, rate_per_s: float, from_s: float) -> None:
        """Offer another rate (the profile stays) from an instant on; what was due before it stays due.

        Raises UsageProblem for a load without a rate: a trace, or the closed model.
        """
        if not self._load.has_rate:
            raise UsageProblem(f"the rate cannot become {rate_per_s:g}: {self._load.why_no_rate}")
        self._changes += 1
        due = list(self._due_before(from_s))
        redrawn = arrivals(replace(self._load, rate_per_s=rate_per_s), self._share, self._changes, from_s)
        self._rest = chain(due, redrawn)
        self.advance()

    def _due_before(self, instant_s: float) -> Iterator[Arrival]:
        while self.next is not None and self.next.due_s < instant_s:
            yield self.next
            self.advance()


def _instants(load: Load, change: int, from_s: float) -> Iterable[float]:
    if load.arrivals == "trace":
        return load.trace
    if not load.has_rate:
        return ()
    rate = from_instant(load.rate, from_s) if change else load.rate  # who asks for a part of the plan wants its numbers
    return constant_arrivals(rate) if load.arrivals == "constant" else poisson_arrivals(rate, load.seed + change)
