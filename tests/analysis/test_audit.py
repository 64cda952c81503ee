"""The audit against histories with one planted wrong each."""

from dataclasses import replace

import pytest

from analysis.run import analyse
from analysis.truth import Truth, parse_truth
from loadgen.errors import RunDirectoryProblem
from tests.recorded_run import History, ordinary


def audited(history: History, tmp_path):
    analysis = analyse(history.write(tmp_path))
    return analysis.audit, analysis.verdict


def test_orders_that_all_stand_in_the_books_pass(tmp_path):
    audit, verdict = audited(ordinary(), tmp_path)
    assert (audit.outcome, audit.acknowledged_count, audit.paid_in_truth_count) == ("pass", 15, 15)
    assert verdict.verdict == "pass"


def test_an_acknowledged_order_missing_in_the_books_fails_the_run(tmp_path):
    history = ordinary()
    history.order(5)
    audit, verdict = audited(history, tmp_path)
    assert audit.missing_count == 1
    assert (verdict.verdict, verdict.cause) == ("fail", "audit")
    assert verdict.reasons == ("1 order acknowledged to a shopper but not paid in the shop's books: order 5.",)


def test_an_acknowledged_order_that_the_books_call_cancelled_is_missing(tmp_path):
    history = ordinary()
    history.order(5)
    history.book(5, state="cancelled", charges=0)
    assert audited(history, tmp_path)[0].missing_count == 1


def test_an_order_number_that_belongs_to_another_key_is_missing(tmp_path):
    history = ordinary()
    history.order(5)
    history.ledger[-1] = replace(history.ledger[-1], order_id=1004)
    history.book(5)
    assert audited(history, tmp_path)[0].missing_count == 1


def test_a_paid_order_that_no_shopper_knows_of_is_unexplained(tmp_path):
    history = ordinary()
    history.book(5)
    audit, verdict = audited(history, tmp_path)
    assert audit.unexplained_count == 1
    assert verdict.cause == "audit"


def test_an_order_that_only_the_books_know_is_a_doubt_when_a_worker_took_its_ledger_along(tmp_path):
    history = ordinary()
    history.book(5)
    history.event(6.0, "worker_lost", worker="worker-1", handed_in_s=6)
    audit, verdict = audited(history, tmp_path)
    assert (audit.outcome, audit.unexplained_count, audit.unresolved_count) == ("unknown", 1, 1)
    assert verdict.verdict == "unknown"


def test_a_paid_order_that_its_shopper_was_refused_is_unexplained(tmp_path):
    history = ordinary()
    history.order(5, outcome="fail")
    history.book(5)
    assert audited(history, tmp_path)[0].unexplained_count == 1


def test_a_pending_order_of_a_visit_cut_short_is_no_violation(tmp_path):
    history = ordinary()
    history.book(5, state="pending", charges=0)
    assert audited(history, tmp_path)[0].outcome == "pass"


def test_unknown_outcomes_are_resolved_by_the_books(tmp_path):
    history = ordinary()
    history.order(5, outcome="unknown")
    history.order(6, outcome="unknown")
    history.book(6)
    audit, verdict = audited(history, tmp_path)
    assert (audit.unknown_count, audit.resolved_placed_count, audit.resolved_absent_count) == (2, 1, 1)
    assert verdict.verdict == "pass"


def test_a_retry_that_was_acknowledged_is_one_order(tmp_path):
    history = ordinary()
    history.order(5, outcome="unknown")
    history.order(5)
    history.book(5)
    audit, _ = audited(history, tmp_path)
    assert (audit.acknowledged_count, audit.unknown_count, audit.outcome) == (16, 0, "pass")


def test_a_key_charged_twice_fails(tmp_path):
    history = ordinary()
    history.order(5)
    history.book(5, charges=2)
    audit, verdict = audited(history, tmp_path)
    assert audit.duplicate_charge_count == 1
    assert verdict.verdict == "fail"


@pytest.mark.parametrize(("told_idr", "booked_idr"), [(150_000, 149_000), (1, 150_000)])
def test_an_amount_other_than_the_shopper_was_told_fails(tmp_path, told_idr, booked_idr):
    history = ordinary()
    history.order(5, amount_idr=told_idr)
    history.book(5, amount_idr=booked_idr)
    assert audited(history, tmp_path)[0].amount_mismatch_count == 1


def test_a_charge_other_than_the_total_fails(tmp_path):
    history = ordinary()
    history.truth[1]["amount_idr"] = 1
    assert audited(history, tmp_path)[0].amount_mismatch_count == 1


def test_orders_without_books_leave_no_verdict(tmp_path):
    history = ordinary()
    history.truth = None
    audit, verdict = audited(history, tmp_path)
    assert audit.outcome == "unknown"
    assert (verdict.verdict, verdict.cause) == ("unknown", "audit")
    assert "15 orders were acknowledged" in verdict.reasons[0]


def test_without_orders_and_books_there_is_nothing_to_audit(tmp_path):
    history = ordinary()
    history.truth = None
    history.ledger.clear()
    audit, verdict = audited(history, tmp_path)
    assert (audit.outcome, verdict.verdict) == ("none", "pass")


def test_books_cut_off_prove_nothing(tmp_path):
    run = ordinary().write(tmp_path)
    whole = run.truth.read_text()
    run.truth.write_text(whole[:-20])
    audit = analyse(run).audit
    assert (audit.outcome, audit.missing_count) == ("unknown", 0)
    assert "cut off" in audit.sentence


def test_a_garbled_line_of_the_books_is_named(tmp_path):
    run = ordinary().write(tmp_path)
    run.truth.write_text('{"type":"order","order_id":"five"}\n' + run.truth.read_text())
    with pytest.raises(RunDirectoryProblem, match=r"truth\.jsonl is damaged"):
        analyse(run)


def test_stock_lines_are_passed_over():
    lines = [{"type": "stock", "product_id": 1, "on_hand": 3}, {"type": "end", "lines": 1}]
    assert parse_truth(lines) == Truth(whole=True)
