"""The purge storm: which pages, at which doors, how many a second, and what is told of it."""

from pathlib import Path

import gevent
import pytest

from loadgen.fault_plans import FaultPlan
from loadgen.faults import check_plans, make_fault
from loadgen.faults.purge_storm import AT_ONCE
from loadgen.stack import PurgeDoor
from tests.engine.faulty_stack import Clock, made, stack_of
from tests.engine.purge_recorder import purge_door

HOST = "127.0.0.1:8080"  # as shoppers name the shop
DETAIL = {"fault": "purge-storm", "per_s": 50.0, "for_s": 2.1}
PLAN = FaultPlan("purge-storm", 1.0, for_s=2.1, per_s=50.0)


def test_home_and_the_100_most_wanted_products_are_purged_in_turn_and_at_their_rate(tmp_path: Path) -> None:
    clock = Clock(lambda _elapsed_s: gevent.sleep(0.002))  # lets purges be answered
    with purge_door() as door:
        stack = stack_of(tmp_path, purge_doors=(PurgeDoor("lonjak-nginx", door.url, ("url",)),))
        check_plans((PLAN,), stack)
        told = made(PLAN, stack, clock)
    assert told == [
        ("fault_started", DETAIL),
        ("fault_ended", DETAIL | {"purge_count": 105, "failed_count": 0}),
    ]
    in_turn = sorted(door.asked, key=lambda asked: int(asked[3].rpartition("-")[2]))
    pages = ["/", *(f"/product/{number}" for number in range(1, 101))]
    assert [(path, host, key) for path, host, key, _ in in_turn] == [
        (path, HOST, None) for path in [*pages, *pages[:4]]
    ]
    assert in_turn[7][3] == "purge-storm-7"
    assert clock.elapsed_s == pytest.approx(104 / 50)


def test_a_door_that_can_is_given_the_key_and_doors_are_asked_in_their_order(tmp_path: Path) -> None:
    plan = FaultPlan("purge-storm", 1.0, for_s=0.01, per_s=100.0)
    with purge_door() as shield, purge_door() as pop:
        doors = (PurgeDoor("lonjak-shield", shield.url, ("url", "key")), PurgeDoor("lonjak-pop-1", pop.url, ("url",)))
        order: list[str] = []
        shield.asked = _Noting(order, "shield")
        pop.asked = _Noting(order, "pop")
        made(plan, stack_of(tmp_path, purge_doors=doors), Clock())
    assert list(shield.asked) == [("/", HOST, "home", "purge-storm-0")]
    assert list(pop.asked) == [("/", HOST, None, "purge-storm-0")]
    assert order == ["shield", "pop"]


class _Noting(list[tuple[str, str, str | None, str]]):
    """A list that also notes, in one that several share, that something was added."""

    def __init__(self, order: list[str], name: str) -> None:
        super().__init__()
        self._order, self._name = order, name

    def append(self, asked: tuple[str, str, str | None, str]) -> None:
        self._order.append(self._name)
        super().append(asked)


def test_purges_that_failed_are_counted_once_for_each_page_with_the_first_reason(tmp_path: Path) -> None:
    plan = FaultPlan("purge-storm", 1.0, for_s=0.03, per_s=100.0)
    with purge_door(405) as door:
        doors = (
            PurgeDoor("lonjak-nginx", door.url, ("url",)),
            PurgeDoor("lonjak-gone", "http://127.0.0.1:1", ("url",)),
        )
        _, (kind, detail) = made(plan, stack_of(tmp_path, purge_doors=doors), Clock())
    assert kind == "fault_ended"
    assert detail == {
        "fault": "purge-storm",
        "per_s": 100.0,
        "for_s": 0.03,
        "purge_count": 3,
        "failed_count": 3,
        "reason": "lonjak-nginx: status 405",
    }


def test_the_storm_is_over_with_the_run_and_what_was_done_is_told(tmp_path: Path) -> None:
    told: list[dict[str, object]] = []
    with purge_door() as door:
        stack = stack_of(tmp_path, purge_doors=(PurgeDoor("lonjak-nginx", door.url, ("url",)),))
        plan = FaultPlan("purge-storm", 0.0, for_s=60.0, per_s=100.0)
        storm = gevent.spawn(make_fault, plan, stack, lambda _kind, detail: told.append(detail))
        with gevent.Timeout(10):
            while len(door.asked) < 5:
                gevent.sleep(0.01)
        storm.kill()
        gevent.sleep(0.3)  # what was sent already arrives
        count = len(door.asked)
        gevent.sleep(0.3)
        assert len(door.asked) == count
    purge_count = told[-1]["purge_count"]
    assert isinstance(purge_count, int)
    assert count - AT_ONCE <= purge_count <= count  # the last ones may have been cut off before their answer
