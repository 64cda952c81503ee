"""Error budgets and their burn rates, against the workbook's own figures and hand-made histories."""

import pytest

from loadgen.error_budget import AlertRule, Budget, BudgetJudge, alert_rules
from loadgen.objective_scopes import BUDGET
from loadgen.objectives import Objective
from tests.core.seconds import second_of

DAY_S = 86400.0


def budget_of(failed_of_100: list[int], limit: float = 0.01, comparator: str = "<", period_s: float = 0.0) -> Budget:
    """A budget over seconds of 100 requests each, of which so many failed."""
    length_s = len(failed_of_100)
    judge = BudgetJudge(Objective(("failed_ratio",), comparator, limit, BUDGET), 0, length_s, period_s or length_s)
    for second, failed in enumerate(failed_of_100):
        judge.see(second, second_of([5.0] * (100 - failed), failed))
    return judge.budget()


def test_over_thirty_days_the_rules_are_those_of_the_workbook() -> None:
    # The Site Reliability Workbook, Alerting on SLOs: 14.4 in 1 h and 5 min, 6 in 6 h and 30 min, 1 in 3 d and 6 h,
    # which spend 2 %, 5 % and 10 % of the budget.
    rules = alert_rules(30 * DAY_S)
    assert rules == (AlertRule(14.4, 3600, 300), AlertRule(6.0, 21600, 1800), AlertRule(1.0, 259_200, 21600))
    assert [round(rule.burn_rate * rule.long_s / (30 * DAY_S), 9) for rule in rules] == [0.02, 0.05, 0.1]


@pytest.mark.parametrize(
    ("period_s", "rules"),
    [
        (7200, [(14.4, 12, 1), (6.0, 60, 5), (1.0, 720, 60)]),
        (600, [(14.4, 12, 1), (6.0, 12, 1), (1.0, 60, 5)]),
        (120, [(6.0, 12, 1), (1.0, 12, 1)]),  # 14.4 would have spent all of it within 12 s
        (60, [(1.0, 12, 1)]),
        (12, []),
    ],
)
def test_windows_shrink_with_the_run_down_to_what_seconds_can_tell(
    period_s: float, rules: list[tuple[float, int, int]]
) -> None:
    assert [(rule.burn_rate, rule.long_s, rule.short_s) for rule in alert_rules(period_s)] == rules


def test_a_budget_is_spent_by_failed_requests_in_shares_of_those_that_may_fail() -> None:
    budget = budget_of([0, 1, 0, 1])  # 2 of 400 failed, 4 may
    assert (budget.request_count, budget.failed_count, budget.spent_ratio) == (400, 2, 0.5)
    assert (budget.decision.outcome, budget.spent_at_s, budget.lasts_s) == ("pass", None, 8.0)
    assert budget.sentence == "2 of 400 requests failed: 0.5 of the budget; at this rate it lasts 8 s."


def test_a_spent_budget_is_a_miss_and_has_an_instant() -> None:
    budget = budget_of([0, 3, 1, 4])
    assert (budget.decision.outcome, budget.spent_ratio, budget.spent_at_s, budget.lasts_s) == ("fail", 2.0, 3, 2.0)
    assert budget.sentence == "8 of 400 requests failed: 2 of the budget, all of which was gone after 3 s."


@pytest.mark.parametrize(("comparator", "outcome", "spent_at_s"), [("<", "fail", 4), ("<=", "pass", None)])
def test_at_the_limit_itself_the_comparator_decides(comparator: str, outcome: str, spent_at_s: int | None) -> None:
    budget = budget_of([1, 1, 1, 1], comparator=comparator)
    assert (budget.decision.outcome, budget.spent_ratio, budget.spent_at_s) == (outcome, 1.0, spent_at_s)


def test_nothing_spent_lasts_for_ever_and_nothing_asked_is_unknown() -> None:
    assert budget_of([0, 0]).as_json()["lasts_s"] is None
    judge = BudgetJudge(Objective(("failed_ratio",), "<", 0.01, BUDGET), 0, 2, 2)
    judge.see(0, second_of())
    assert judge.budget().spent_ratio is None
    assert judge.budget().decision.outcome == "unknown"


def test_an_alert_needs_both_windows_and_ends_soon_after_its_cause() -> None:
    # 120 s with windows of 12 s and 1 s. From 40 s to 50 s every tenth request fails, a burn rate of 10. The long
    # window is beyond 6 with the eighth such second (8 * 10 / 12), and the short one is at 0 with second 50.
    history = [10 if 40 <= second < 50 else 0 for second in range(120)]
    fast, slow = budget_of(history).windows
    assert (fast.rule, fast.alerts_s) == (AlertRule(6.0, 12, 1), ((48, 51),))
    assert fast.highest_burn_rate == pytest.approx(100 / 12)
    assert fast.at_s == 50
    assert slow.alerts_s == ((42, 51),)  # 2 * 10 / 12 is the first above 1


def test_an_alert_that_is_on_at_the_end_stays_open() -> None:
    judge = BudgetJudge(Objective(("failed_ratio",), "<", 0.01, BUDGET), 0, 60, 60)
    for second in range(60):
        judge.see(second, second_of([5.0] * 50, 50 if second >= 50 else 0))
    [burnt] = judge.alerting
    assert burnt.alerts_s == ((51, None),)


def test_only_the_judged_part_spends() -> None:
    judge = BudgetJudge(Objective(("failed_ratio",), "<", 0.01, BUDGET), 2, 4, 2)
    for second, failed in enumerate([50, 50, 1, 0, 50]):
        judge.see(second, second_of([5.0] * (100 - failed), failed))
    assert (judge.budget().request_count, judge.budget().failed_count, judge.budget().measured_s) == (200, 1, 2)
