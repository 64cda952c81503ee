"""Objectives in windows and phases, against hand-made seconds and against sums worked out from all values at once."""

import math
import random

from loadgen.objective_scopes import Scope
from loadgen.objective_windows import PhaseJudge, Phases, WindowJudge
from loadgen.objectives import Decision, Objective
from tests.core.seconds import second_of


def in_windows(name: str, comparator: str, limit: float, length_s: int) -> Objective:
    return Objective(tuple(name.split(".")), comparator, limit, Scope("window", window_s=length_s))


def in_phase(name: str, comparator: str, limit: float, phase: str) -> Objective:
    return Objective(tuple(name.split(".")), comparator, limit, Scope("phase", phase=phase))


def told(decision: Decision) -> tuple[str, float | None, int | None]:
    return decision.outcome, decision.value, decision.at_s


def test_the_worst_window_decides_and_its_instant_is_told() -> None:
    judge = WindowJudge(in_windows("failed_ratio", "<", 0.1, 2), 0, 6)
    for second, failed in enumerate([0, 0, 1, 3, 0, 0]):
        judge.see(second, second_of([5.0] * (10 - failed), failed))
    assert told(judge.decision()) == ("fail", 0.2, 2)
    assert judge.decision().reason == ("failed_ratio is 0.2 in the window from 2 s to 4 s, not < 0.1 in every 2s")


def test_what_holds_in_every_window_is_told_with_the_nearest_to_a_miss() -> None:
    judge = WindowJudge(in_windows("goodput_per_s", ">=", 4, 2), 0, 4)
    for second, count in enumerate([9, 9, 4, 5]):
        judge.see(second, second_of([5.0] * count))
    assert told(judge.decision()) == ("pass", 4.5, 2)
    assert judge.decision().reason == (
        "goodput_per_s is at worst 4.5 in the window from 2 s to 4 s, as >= 4 in every 2s"
    )


def test_windows_lie_wholly_in_the_judged_part() -> None:
    judge = WindowJudge(in_windows("failed_ratio", "<", 0.5, 2), 2, 4)
    for second, failed in enumerate([9, 9, 0, 0, 9, 9]):  # bad before and after it
        judge.see(second, second_of([5.0] * (10 - failed), failed))
    assert told(judge.decision()) == ("pass", 0.0, 2)


def test_a_window_of_too_few_samples_is_unknown_never_pass() -> None:
    judge = WindowJudge(in_windows("response_time_ms.all.p95", "<", 100, 2), 0, 6)
    for second, count in enumerate([10, 10, 10, 9, 10, 10]):
        judge.see(second, second_of([5.0] * count))
    decision = judge.decision()
    assert told(decision) == ("unknown", 5.003, 2)
    assert "too few samples, 1 more are needed in 2 of 5 windows, first in the window from 2 s" in decision.reason


def test_a_missed_window_outweighs_one_that_is_unknown() -> None:
    judge = WindowJudge(in_windows("response_time_ms.all.max", "<", 100, 1), 0, 2)
    judge.see(0, second_of())
    judge.see(1, second_of([150.0]))
    assert told(judge.decision())[0] == "fail"


def test_a_run_shorter_than_its_window_is_unknown() -> None:
    judge = WindowJudge(in_windows("failed_ratio", "<", 0.1, 30), 0, 20)
    for second in range(20):
        judge.see(second, second_of([5.0] * 10))
    assert told(judge.decision()) == ("unknown", None, None)
    assert "no window of 30 s lies in the judged part" in judge.decision().reason


def test_a_percentile_of_a_window_is_that_of_all_its_requests() -> None:
    draw = random.Random(7)
    seconds = [[draw.lognormvariate(3, 1) for _ in range(draw.randint(5, 40))] for _ in range(60)]
    judge = WindowJudge(in_windows("response_time_ms.all.p90", "<", 1e9, 10), 0, 60)
    for second, values in enumerate(seconds):
        judge.see(second, second_of(values))
    worst: tuple[float, int] = (0.0, 0)
    for start in range(51):
        values = sorted(value for second in seconds[start : start + 10] for value in second)
        exact = values[math.ceil(round(0.9 * len(values), 6)) - 1]
        worst = max(worst, (exact, -start))
    decision = judge.decision()
    assert decision.value is not None
    assert decision.at_s == -worst[1]
    assert worst[0] * 0.999 <= decision.value <= worst[0] * 1.001  # the buckets' own precision


def test_each_stretch_of_a_phase_is_judged_and_the_worst_decides() -> None:
    phases = Phases()
    for name, at_s in (("steady", 0.1), ("peak", 2.2), ("steady", 4.0), ("peak", 6.9), ("drain", 9.0)):
        phases.begin(name, at_s)
    judge = PhaseJudge(in_phase("failed_ratio", "<", 0.2, "peak"), phases)
    for second, failed in enumerate([9, 9, 1, 1, 9, 9, 9, 3, 3, 9]):
        judge.see(second, second_of([5.0] * (10 - failed), failed))
    assert told(judge.decision()) == ("fail", 0.3, 7)  # 6.9 s: the whole seconds from 7 on
    assert judge.decision().reason == "failed_ratio is 0.3 from 7 s on, not < 0.2 in phase peak"


def test_a_phase_that_goes_on_is_not_over() -> None:
    phases = Phases()
    phases.begin("peak", 0.0)
    judge = PhaseJudge(in_phase("failed_ratio", "<", 0.2, "peak"), phases)
    judge.see(0, second_of([5.0], 9))
    assert (judge.decision().outcome, judge.over().outcome) == ("fail", "unknown")
    phases.begin("drain", 1.0)
    assert judge.over().outcome == "fail"


def test_a_phase_that_never_came_is_unknown_and_those_that_did_are_named() -> None:
    phases = Phases()
    phases.begin("steady", 0.0)
    judge = PhaseJudge(in_phase("failed_ratio", "<", 0.2, "peak"), phases)
    judge.see(0, second_of([5.0] * 9))
    assert told(judge.decision()) == ("unknown", None, None)
    assert judge.decision().reason.endswith("no whole second of phase peak came; phases of this run: steady")
