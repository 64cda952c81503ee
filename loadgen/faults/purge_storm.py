"""`purge-storm`: the pages that are wanted most are purged in turn, at every door, so many a second; then no more."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from urllib.parse import urlsplit

from gevent.pool import Pool

from loadgen.fault_plans import FaultPlan
from loadgen.faults.fault import Detail, Fault, Tell, Timer, told
from loadgen.faults.purge_doors import PurgeDoors, PurgedPage
from loadgen.stack import Stack

_MOST_WANTED = 100
AT_ONCE = 16  # a door that fetches anew answers when it has fetched: one after the other would be no storm


@dataclass(slots=True)
class _Purges:
    """What was done so far: purges that were answered, those that failed, and why the first one did."""

    count: int = 0
    failed_count: int = 0
    reason: str = ""

    def add(self, failure: str) -> None:
        """Take in the end of one purge."""
        self.count += 1
        self.failed_count += bool(failure)
        self.reason = self.reason or failure

    @property
    def detail(self) -> Detail:
        """As the run's history tells it."""
        reason: Detail = {"reason": self.reason} if self.reason else {}
        return {"purge_count": self.count, "failed_count": self.failed_count, **reason}


def _make(plan: FaultPlan, stack: Stack, tell: Tell, timer: Timer) -> None:
    doors = PurgeDoors(stack.purge_doors, urlsplit(stack.url).netloc, AT_ONCE)
    purges, pool = _Purges(), Pool(AT_ONCE)

    def purge(page: PurgedPage, number: int) -> None:
        purges.add(doors.purge(page, f"purge-storm-{number}"))

    with told(plan, tell) as detail:
        try:
            for number in _beats(plan, timer):
                pool.spawn(purge, _PAGES[number % len(_PAGES)], number)  # waits where too many are under way
            pool.join()
        finally:
            pool.kill()
            doors.close()
            detail.update(purges.detail)


def _beats(plan: FaultPlan, timer: Timer) -> Iterator[int]:
    """0, 1, 2, … at the plan's rate until its time is over; what comes too late is left out, not caught up with."""
    starts_at = timer.now()
    for number in count():
        due_at = starts_at + number / plan.per_s
        if max(due_at, timer.now()) >= starts_at + plan.for_s:
            return
        timer.sleep(max(0.0, due_at - timer.now()))
        yield number


_PAGES = (
    PurgedPage("/", "home"),
    *(PurgedPage(f"/product/{number}", f"product-{number}") for number in range(1, _MOST_WANTED + 1)),
)


def _lack(_plan: FaultPlan, stack: Stack) -> str:
    if stack.purge_doors:
        return ""
    return "needs a cache that takes purges: start the shop with `lonjak shop up --edge varnish --purge key`"


PURGE_STORM = Fault(_make, _lack)
