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


def test_stock_lines_of_the_first_version_are_passed_over():
    lines = [
        {"type": "stock", "product_id": 1, "initial": 5, "on_hand": 3, "sold": 2},
        {"type": "end", "lines": 1, "at": 9.5},
    ]
    assert parse_truth(lines) == Truth(at=9.5, whole=True)


def test_lines_of_unknown_types_are_passed_over():
    assert parse_truth([{"type": "weather", "rain": True}, {"type": "end", "lines": 1}]) == Truth(whole=True)


@pytest.mark.parametrize(
    "line",
    [
        {"type": "movement", "entry_id": 1, "at": 1.0, "product_id": 1, "change": "sell", "quantity": 1},
        {"type": "charge", "idempotency_key": "k", "order_id": 1, "amount_idr": 1.5, "state": "captured", "at": 1.0},
        {"type": "charge", "idempotency_key": "k", "order_id": 1, "amount_idr": 1, "state": "captured", "at": "noon"},
        {"type": "order", "order_id": 1, "state": "paid", "total_idr": 1, "discount_idr": 0, "lines": "none"},
        {"type": "reservation", "reservation_id": True, "expires_at": 1.0},
    ],
)
def test_a_line_that_is_not_what_it_says_it_is_is_refused(tmp_path, line):
    history = ordinary()
    history.truth.append(line)
    with pytest.raises(RunDirectoryProblem, match=r"truth\.jsonl is damaged: a line lacks or garbles"):
        analyse(history.write(tmp_path))


def test_a_run_of_the_first_version_is_held_to_what_its_books_tell(tmp_path):
    history = ordinary()
    for order in [line for line in history.truth if line["type"] == "order"]:
        order["lines"] = [{"product_id": 1, "quantity": 2, "price_idr": 70_000}]  # 10,000 for shipping
    history.truth.append({"type": "stock", "product_id": 1, "initial": 849, "on_hand": 847, "sold": 2})
    audit, verdict = audited(history, tmp_path)
    checked = [found.invariant for found in audit.findings if found.outcome != "none"]
    assert (audit.outcome, verdict.verdict) == ("pass", "pass")
    assert checked == ["acknowledged_orders", "one_charge_per_key", "order_totals", "own_orders"]


def test_goods_that_the_first_version_told_are_compared(tmp_path):
    history = ordinary()
    history.ledger[0] = replace(history.ledger[0], items=((1, 2),))
    history.truth[0]["lines"] = [{"product_id": 3, "quantity": 2, "price_idr": 75_000}]
    _, verdict = audited(history, tmp_path)
    assert verdict.reasons == ("1 order with other goods than its shopper had in the cart: order 1000.",)


def test_a_violation_and_a_doubt_are_both_reasons_and_the_violation_decides(tmp_path):
    history = ordinary()
    history.ledger.append(replace(history.ledger[0], outcome="unknown", idempotency_key=None, order_id=None))
    history.order(5)
    audit, verdict = audited(history, tmp_path)
    assert (audit.outcome, verdict.cause, len(verdict.reasons)) == ("fail", "audit", 2)
    assert verdict.reasons[1] == (
        "1 order left in doubt without key or number to look up: an order without number or key."
    )


def test_an_audits_counts_stand_by_invariant_in_the_summary(tmp_path):
    history = ordinary()
    history.order(5)
    told = analyse(history.write(tmp_path)).summary["audit"]
    assert told["acknowledged_orders"] == {"checked_count": 16, "violations_count": 1, "unresolved_count": 0}
    assert (told["outcome"], told["missing_count"], "no_oversell" in told) == ("fail", 1, False)
