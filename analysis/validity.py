"""When the generator, not the shop, was the limit in a second: one rule for a running record and a closed one.

Plain Python on the rows and intervals of a run, so that whoever follows a running load judges as the report will.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, TypeAlias

from loadgen.histogram import Histogram
from loadgen.hlog import HlogLine

# A loop that comes back a tenth of a second late adds that to every response it waited for: a good shop's whole p95.
LOOP_LAG_LIMIT_US = 100_000
# Above nine tenths of a core an event loop's queue grows without bound (M/M/1: ten times the service time).
CPU_LIMIT_RATIO = 0.9
# Sessions that begin a tenth of a second late are no longer the load that was asked for.
SCHEDULE_LAG_LIMIT_US = 100_000
# Of the sessions that were due, one in a hundred may find no room before what was offered is not what was asked for.
DROPPED_RATIO_BORNE = 0.01

Reason: TypeAlias = Literal["loop_lag", "schedule_lag", "cpu", "worker_lost"]


def late_seconds(second: int, lines: Iterable[HlogLine]) -> Iterator[tuple[int, Reason]]:
    """The seconds that one second's intervals make invalid, with the reason; each may come several times."""
    schedule = Histogram()
    for line in lines:
        if line.tag.measure == "loop_lag":
            for stuck in stuck_seconds(second, line.histogram):
                yield stuck, "loop_lag"
        if line.tag.measure == "schedule_lag":
            schedule.merge(line.histogram)
    if is_late(schedule):
        yield second, "schedule_lag"


def stuck_seconds(second: int, loop_lag: Histogram) -> range:
    """The seconds in which a loop stood still, by what it says in one."""
    if loop_lag.max_us <= LOOP_LAG_LIMIT_US:
        return range(0)
    # While it stood still it recorded nothing; what it says afterwards is about the seconds before too.
    return range(max(0, int(second + 1 - loop_lag.max_us / 1_000_000)), second + 1)


def is_late(schedule_lag: Histogram) -> bool:
    """Whether too many sessions of a second, over all workers, began late."""
    return schedule_lag.percentile_us(99.0) > SCHEDULE_LAG_LIMIT_US


def is_worker(row: Mapping[str, object]) -> bool:
    """Whether a row of tiers.csv is a load process's, by its columns `tier` and `role`."""
    return row["tier"] == "generator" and row["role"] != "master"


def too_many_dropped(dropped_count: int, arrived_count: int) -> bool:
    """Whether more of those who were due never began than may."""
    return dropped_count > DROPPED_RATIO_BORNE * (dropped_count + arrived_count)
