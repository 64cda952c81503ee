"""The curve of a capacity study, its orders and its verdict, from a search made by hand."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from analysis.capacity import CapacityAnalysis, capacity, documents
from loadgen.errors import RunDirectoryProblem
from tests.recorded_capacity import CAPACITY_MANIFEST, FOUND, CapacityStudy
from tests.recorded_run import History


def analysed(root: Path, study: CapacityStudy | None = None) -> CapacityAnalysis:
    return capacity((study or CapacityStudy()).write(root))


def test_each_step_is_a_point_of_the_seconds_that_counted(tmp_path: Path) -> None:
    points = analysed(tmp_path).curve.points
    assert [(point.step.rate_per_s, point.counted_s, point.offered_per_s) for point in points] == [
        (5, 10, 5),
        (10, 10, 10),
        (15, 10, 15),
        (12, 10, 12),
        (10, 10, 10),
    ]
    assert [point.goodput_per_s for point in points] == [20, 40, 30, 48, 40]
    assert [point.failed_ratio for point in points] == [0, 0, 0.5, 0, 0]
    assert [point.requests_per_s for point in points] == [20, 40, 60, 48, 40]


def test_response_times_are_those_of_well_answered_requests(tmp_path: Path) -> None:
    points = analysed(tmp_path).curve.points
    assert [point.response_ms["p95"] for point in points] == pytest.approx([20, 20, 900, 400, 20], rel=1e-3)


def test_cores_are_by_tier_the_generator_last(tmp_path: Path) -> None:
    curve = analysed(tmp_path).curve
    assert curve.tiers == ("database", "shop", "generator")
    assert curve.points[1].cores == pytest.approx({"shop": 0.8, "database": 0.2, "generator": 0.3})


def test_the_most_and_where_a_session_gets_less_are_told_apart(tmp_path: Path) -> None:
    curve = analysed(tmp_path).curve
    assert curve.peak is not None
    assert (curve.peak.step.rate_per_s, curve.peak.goodput_per_s) == (12, 48)
    assert curve.saturates_per_s == 15  # at 12 all is answered, though late
    assert curve.usual_goodput_per_session == 4


def test_a_shop_that_answers_every_session_alike_does_not_saturate(tmp_path: Path) -> None:
    study = CapacityStudy(steps=tuple(step for step in CapacityStudy().steps if step[0] <= 12))
    assert analysed(tmp_path, study).curve.saturates_per_s is None


def test_the_capacity_in_orders_is_that_in_sessions_times_orders_of_a_session(tmp_path: Path) -> None:
    study = analysed(tmp_path)
    assert study.curve.orders_per_session == pytest.approx(0.1)
    orders = study.orders_per_min
    assert orders is not None
    assert (orders.at, orders.low, orders.high) == pytest.approx((66, 63, 69))


def test_without_orders_there_is_no_capacity_in_orders(tmp_path: Path) -> None:
    study = CapacityStudy(changed=lambda history: history.ledger.clear())
    assert analysed(tmp_path, study).orders_per_min is None


def test_the_first_objective_to_fail_is_that_of_the_lowest_rate_that_did(tmp_path: Path) -> None:
    assert analysed(tmp_path).first_failure == "response_time_ms.all.p95 < 300"


def test_what_was_left_is_decided_over_the_highest_load_that_held(tmp_path: Path) -> None:
    [decision] = analysed(tmp_path).left
    assert (decision.outcome, decision.value) == ("pass", 3600)  # 10 orders in 10 s


def test_a_capacity_that_was_found_passes(tmp_path: Path) -> None:
    verdict = analysed(tmp_path).verdict
    assert (verdict.verdict, verdict.cause, verdict.reasons) == ("pass", None, ("The shop holds 11 sessions/s.",))


@pytest.mark.parametrize(
    ("found", "outcome", "cause"),
    [("below", "fail", "below"), ("at least", "unknown", "search"), ("unknown", "unknown", "search")],
)
def test_a_search_that_found_nothing_else_has_the_verdict_of_its_finding(
    tmp_path: Path, found: str, outcome: str, cause: str
) -> None:
    record = replace(FOUND, found=found, high_per_s=None)
    verdict = analysed(tmp_path, CapacityStudy(record=record)).verdict
    assert (verdict.verdict, verdict.cause) == (outcome, cause)


def test_an_interrupted_search_has_no_verdict_but_keeps_its_curve(tmp_path: Path) -> None:
    manifest = replace(CAPACITY_MANIFEST, complete=False, interrupted=True)
    study = analysed(tmp_path, CapacityStudy(manifest=manifest))
    assert (study.verdict.verdict, study.verdict.cause, len(study.curve.points)) == ("unknown", "interrupted", 5)


def test_a_lost_order_fails_a_search_however_much_the_shop_holds(tmp_path: Path) -> None:
    def lose(history: History) -> None:
        assert history.truth is not None
        history.truth = [line for line in history.truth if line["order_id"] != 20_000]

    verdict = analysed(tmp_path, CapacityStudy(changed=lose)).verdict
    assert (verdict.verdict, verdict.cause) == ("fail", "audit")


def test_an_objective_that_was_left_fails_the_study_where_it_does_not_hold(tmp_path: Path) -> None:
    def nobody_orders(history: History) -> None:
        history.ledger.clear()
        history.truth = None

    verdict = analysed(tmp_path, CapacityStudy(changed=nobody_orders)).verdict
    assert (verdict.verdict, verdict.cause) == ("fail", "objectives")


def test_the_same_files_give_the_same_bytes_and_no_number_that_is_none(tmp_path: Path) -> None:
    study = CapacityStudy().write(tmp_path)
    once, again = (documents(study, capacity(study)) for _ in range(2))
    assert once == again
    summary = json.loads(once[study.summary])
    assert summary["capacity"]["sessions_per_s"] == {"value": 11, "low": 10.5, "high": 11.5}
    assert "NaN" not in once[study.summary] + once[study.verdict]


def test_a_study_without_steps_has_an_empty_curve(tmp_path: Path) -> None:
    record = replace(FOUND, found="unknown", rate_per_s=None, low_per_s=None, high_per_s=None)
    study = CapacityStudy(record=record).write(tmp_path)
    record.write(study.capacity)
    found = capacity(study)
    assert (found.curve.points, found.curve.peak, found.curve.highest_held, found.first_failure) == (
        (),
        None,
        None,
        None,
    )


def test_a_study_without_its_steps_is_refused(tmp_path: Path) -> None:
    study = CapacityStudy().write(tmp_path)
    study.capacity.unlink()
    with pytest.raises(RunDirectoryProblem, match=r"capacity\.json cannot be read"):
        capacity(study)
