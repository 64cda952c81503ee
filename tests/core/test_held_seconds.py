"""What the merger hands on to those who look at single seconds."""

from datetime import UTC, datetime
from pathlib import Path

from loadgen.batch import Batch, Second
from loadgen.hlog import Tag
from loadgen.merger import Merger
from loadgen.records import LedgerLine
from loadgen.runclock import RunClock
from loadgen.rundir import RunDirectory
from loadgen.tally import Tally

STARTED_AT = 1000.0


def a_second(elapsed_s: int, requests: int) -> Second:
    second = Second(elapsed_s)
    second.counters["home"].update({"request_count": requests})
    second.histograms[Tag("response_time", "home", "ok")].record(1000, requests)
    second.funnel[elapsed_s - 1, "web"]["dropped_count"] = 1  # who came a second before
    second.ledger.append(LedgerLine(STARTED_AT + elapsed_s + 0.5, "place_order", "ok", 1, "k", 1, 5))
    return second


def test_each_second_is_summed_up_where_it_belongs_and_settles_when_all_have_handed_in(tmp_path: Path) -> None:
    held: dict[int, Tally] = {}

    def keep(second: int) -> tuple[Tally]:
        return (held.setdefault(second, Tally()),)

    clock = RunClock(STARTED_AT, now=lambda: STARTED_AT, monotonic=lambda: 0.0)
    run = RunDirectory.create(tmp_path, "mine", datetime(2026, 11, 23, tzinfo=UTC))
    merger = Merger(run, clock, (2, 3), held=keep)
    merger.expect(["worker-1", "worker-2"])
    merger.accept(Batch("worker-1", (a_second(1, 3), a_second(2, 4)), 3))
    assert (merger.settled_s, held) == (0, {})
    merger.accept(Batch("worker-2", (a_second(1, 10),), 2))
    assert merger.settled_s == 2
    assert held[1].requests("all") == (0, 13)
    merger.accept(Batch("worker-2", (a_second(2, 20),), 3))
    merger.close()
    assert merger.settled_s == 3
    assert held[2].requests("all") == merger.tally.requests("all") == (0, 24)
    assert held[2].latency("response_time_ms", "home").count == 24
    assert [held[second].dropped_count for second in (0, 1, 2)] == [2, 2, 0]
    assert held[1].figures(60)["orders"]["per_min"] == 2.0  # type: ignore[index,call-overload]
