"""A search steers a run: each step sees the seconds of its own rate only, and what is known stands with its windows."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from loadgen.histogram import Histogram
from loadgen.objectives import parse_objectives
from lonjak.capacity.criteria import criteria_of
from lonjak.capacity.observation import Second
from lonjak.capacity.seconds import RunningSeconds
from lonjak.capacity.steering import Steering
from lonjak.capacity.steps import Capacity, Step, StepResult
from tests.capacity.growing_run import STARTED_AT, GrowingRun

WARMUP_S, UNTIL_S = 3, 40


@dataclass
class Scripted:
    """A search that offers its steps in turn, each for so many seconds."""

    steps: list[Step]
    seconds_each: int = 4
    seen: list[tuple[int, Second]] = field(default_factory=list)
    results: list[StepResult] = field(default_factory=list)
    stay_s: int | None = None

    @property
    def step(self) -> Step | None:
        return self.steps[0] if self.steps else None

    @property
    def result(self) -> Capacity:
        return Capacity(5.0, 4.5, 5.5, 0.95, "unseen", tuple(self.results), "The shop holds 5.", "found")

    def begin(self, stay_s: int) -> "Scripted":
        self.stay_s = stay_s
        return self

    def observe(self, second: Second) -> Step | None:
        assert self.step is not None
        self.seen.append((self.step.index, second))
        if second.elapsed_s + 1 < self.seconds_each:
            return None
        ended = self.steps.pop(0)
        if not ended.drains:
            figures = {"failed_ratio < 0.01": 0.0}
            self.results.append(StepResult(ended, "holds", "it held", 4, None, 5.0, 4.0, 0.01, figures))
        return self.step


@dataclass
class Listener:
    """Notes what it is told."""

    warmed: list[int] = field(default_factory=list)
    ended_with: list[int] = field(default_factory=list)

    def warming(self, elapsed_s: int) -> None:
        self.warmed.append(elapsed_s)

    def going_on(self, elapsed_s: int, step: Step, second: Second, times: Histogram) -> None:
        pass

    def ended(self, result: StepResult, times: Histogram) -> None:
        self.ended_with.append(times.count)


class Bench:
    """A run that obeys: its clock advances a second at a time, and the wished rate is taken up 0.25 s after it."""

    def __init__(self, growing: GrowingRun, search: Scripted, until_s: int = UNTIL_S) -> None:
        objectives, _ = parse_objectives({"failed_ratio": "< 0.01"})
        self.growing, self.search, self.listener, self.known = growing, search, Listener(), 0
        self.steering = Steering(
            RunningSeconds(growing.run, criteria_of(objectives)),
            STARTED_AT,
            growing.run.control,
            self.listener,
            begin=search.begin,
            on_step=self._know,
            warmup_s=WARMUP_S,
            until_s=until_s,
            rate_per_s=5.0,
        )
        self._obeyed = 0

    def _know(self) -> None:
        self.known += 1

    @property
    def control(self) -> list[dict[str, object]]:
        path = self.growing.run.control
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def run(self, seconds: int) -> None:
        for second in range(seconds):
            self.growing.beat(second)
            self.growing.requests(second, "response_time/product/ok", [10] * 5)
            self.growing.sessions(second, arrived_count=5)
            self.growing.flush()
            self.steering.look()
            for line in self.control[self._obeyed :]:
                self._obeyed += 1
                if "set_rate" in line:
                    self.growing.event(second + 1.25, "control", set_rate=line["set_rate"])


@pytest.fixture
def growing(tmp_path: Path) -> Iterator[GrowingRun]:
    run = GrowingRun(tmp_path)
    yield run
    run.close()


def step(index: int, rate_per_s: float, *, drains: bool = False) -> Step:
    return Step(index, rate_per_s, "bracket", 1, drains)


def test_nothing_is_searched_before_the_warm_up_is_over(growing: GrowingRun) -> None:
    bench = Bench(growing, Scripted([step(0, 5.0)]))
    bench.run(WARMUP_S + 1)
    assert (bench.listener.warmed, bench.search.stay_s, bench.steering.record) == ([0, 1], None, None)


def test_a_step_at_the_rate_that_is_offered_begins_with_the_next_second(growing: GrowingRun) -> None:
    bench = Bench(growing, Scripted([step(0, 5.0)]))
    bench.run(30)
    assert [second.elapsed_s for _, second in bench.search.seen] == [0, 1, 2, 3]
    assert bench.control == [{"phase": "step 0"}, {"stop": True}]
    assert bench.steering.record is not None
    [kept] = bench.steering.record.steps
    assert (kept.from_s, kept.settled_s, kept.until_s) == (3, 4, 7)


def test_a_step_sees_no_second_before_its_rate_was_taken_up(growing: GrowingRun) -> None:
    bench = Bench(growing, Scripted([step(0, 5.0), step(1, 8.0)]))
    bench.run(30)
    # The last second of step 0 is 6, told when 8 is known; the run obeys at 9.25, half a second later it has the rate.
    assert [second.elapsed_s for index, second in bench.search.seen if index == 1] == [0, 1, 2, 3]
    assert bench.steering.record is not None
    windows = [(kept.from_s, kept.settled_s, kept.until_s) for kept in bench.steering.record.steps]
    assert windows == [(3, 4, 7), (10, 11, 14)]
    assert [line["set_rate"] for line in bench.control if "set_rate" in line] == [8.0]


def test_a_step_that_lets_a_backlog_go_has_no_result_of_its_own(growing: GrowingRun) -> None:
    bench = Bench(growing, Scripted([step(0, 5.0), step(1, 2.0, drains=True), step(2, 4.0)]))
    bench.run(39)
    assert bench.steering.record is not None
    assert [kept.index for kept in bench.steering.record.steps] == [0, 2]
    assert [line["set_rate"] for line in bench.control if "set_rate" in line] == [2.0, 4.0]
    assert bench.listener.ended_with == [15, 15]  # three seconds of each counted


def test_the_run_is_stopped_when_the_search_is_over_and_no_second_is_told_after(growing: GrowingRun) -> None:
    bench = Bench(growing, Scripted([step(0, 5.0)]))
    bench.run(30)
    assert bench.steering.over
    assert len(bench.search.seen) == 4
    assert bench.known == 2  # once for the step, once for the end


def test_the_run_is_stopped_when_its_time_is_up_and_what_is_known_stays(growing: GrowingRun) -> None:
    bench = Bench(growing, Scripted([step(0, 5.0), step(1, 8.0)]), until_s=12)
    bench.run(30)
    assert bench.control[-1] == {"stop": True}
    assert bench.steering.record is not None
    assert [kept.index for kept in bench.steering.record.steps] == [0]


def test_what_is_known_can_be_read_back(growing: GrowingRun, tmp_path: Path) -> None:
    bench = Bench(growing, Scripted([step(0, 5.0)]))
    bench.run(30)
    record = bench.steering.record
    assert record is not None
    record.write(tmp_path / "capacity.json")
    assert type(record).read(tmp_path / "capacity.json") == record


def test_the_search_is_told_how_long_sessions_stay(growing: GrowingRun) -> None:
    bench = Bench(growing, Scripted([step(0, 5.0)]))
    growing.beat(0)
    growing.flush()
    bench.steering.look()
    growing.sessions(0, finished_count=9)
    for second in range(1, 6):
        growing.beat(second)
    growing.flush()
    bench.steering.look()
    assert bench.search.stay_s == 5
