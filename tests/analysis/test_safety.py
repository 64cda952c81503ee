"""Leaks: what was looked for, what was found, and what that makes of a run."""

from dataclasses import replace

import pytest

from analysis.run import analyse
from loadgen.records import SAFETY_CHECKS
from reports.network_words import CHECKS
from tests.recorded_run import edge_lab, ordinary


def leak(history, at_s, check="visitor", **detail):
    history.event(at_s, "leak", check=check, url="/cart?x=1", page_kind="cart", told="somebody else's secret", **detail)


def test_checks_and_alarms_add_up_over_the_run(tmp_path):
    found = analyse(edge_lab().write(tmp_path)).summary["safety"]
    assert found["alarm_count"] == 4
    assert found["checks"] == {
        "visitor": {"checked_count": 360, "alarm_count": 2},
        "set-cookie": {"checked_count": 1020, "alarm_count": 0},
        "deception": {"checked_count": 6, "alarm_count": 2},
        "poisoning": {"checked_count": 6, "alarm_count": 0},
        "method-override": {"checked_count": 6, "alarm_count": 0},
        "oversized-header": {"checked_count": 6, "alarm_count": 0},
    }
    assert [(row["check"], row["url"], row["key"]) for row in found["leaks"]] == [
        *[("visitor", "/cart", "127.0.0.1:8080/cart")] * 2,
        *[("deception", "/account/x.css", "127.0.0.1:8080/account/x.css")] * 2,
    ]


def test_a_leak_fails_the_run_and_says_where(tmp_path):
    found = analyse(edge_lab().write(tmp_path)).verdict
    assert (found.verdict, found.cause) == ("fail", "safety")
    assert found.reasons == (
        "A personal page was given to somebody else: 2 of 360 checks, first /cart.",
        "A cache kept a personal page under an address that looks public: 2 of 6 checks, first /account/x.css.",
    )


def test_a_lost_order_is_told_before_a_leak(tmp_path):
    history = edge_lab()
    history.order(5)
    found = analyse(history.write(tmp_path)).verdict
    assert (found.cause, len(found.reasons)) == ("audit", 3)


def test_a_leak_outweighs_a_generator_that_could_not_keep_up(tmp_path):
    history = edge_lab()
    history.loop_lag_ms = dict.fromkeys(range(60), 150.0)
    found = analyse(history.write(tmp_path)).verdict
    assert (found.verdict, found.cause) == ("fail", "safety")


def test_of_an_interrupted_run_a_leak_is_told_but_the_run_has_no_verdict(tmp_path):
    history = edge_lab()
    history.manifest = replace(history.manifest, interrupted=True)
    found = analyse(history.write(tmp_path)).verdict
    assert (found.verdict, found.cause, len(found.reasons)) == ("unknown", "interrupted", 3)


def test_checks_that_found_nothing_leave_the_verdict_alone(tmp_path):
    history = ordinary()
    history.checked(20, "visitor", 50)
    analysis = analyse(history.write(tmp_path))
    assert analysis.summary["safety"]["alarm_count"] == 0
    assert analysis.verdict.verdict == "pass"


def test_nobody_who_looked_is_not_nothing_found(tmp_path):
    assert analyse(ordinary().write(tmp_path)).summary["safety"] == {"alarm_count": None, "checks": {}, "leaks": []}


def test_a_leak_counts_without_the_counts_of_its_second(tmp_path):
    history = ordinary()
    history.checked(20, "visitor", 5)
    leak(history, 59.9)
    analysis = analyse(history.write(tmp_path))
    assert analysis.summary["safety"]["checks"]["visitor"] == {"checked_count": 5, "alarm_count": 1}
    assert analysis.verdict.reasons == ("A personal page was given to somebody else: 1 of 5 checks, first /cart?x=1.",)


def test_a_leak_of_a_check_without_any_counts_is_its_only_check(tmp_path):
    history = ordinary()
    leak(history, 59.9, check="of tomorrow")
    found = analyse(history.write(tmp_path))
    assert found.summary["safety"]["checks"] == {"of tomorrow": {"checked_count": 1, "alarm_count": 1}}
    assert found.verdict.reasons[0].startswith("The check of tomorrow raised an alarm: 1 of 1 check, first")


def test_what_a_leak_does_not_say_is_empty(tmp_path):
    history = ordinary()
    leak(history, 20.0, key=None)
    (row,) = analyse(history.write(tmp_path)).summary["safety"]["leaks"]
    assert (row["key"], row["cache_status"], row["told"]) == ("", "", "somebody else's secret")


def test_every_check_is_told_in_plain_words():
    assert tuple(CHECKS) == SAFETY_CHECKS


@pytest.mark.parametrize(
    ("objective", "outcome"),
    [
        ('safety.alarm_count = "< 1"', "fail"),
        ('cache.origin.offload_ratio = "> 0.6"', "pass"),
        ('cache.by_cache.lonjak-shield.product.request_hit_ratio = "> 0.5"', "fail"),
        ('cache.by_cache.lonjak-shield.all.byte_hit_ratio = "> 0.3"', "pass"),
        ('cache.by_cache.lonjak-varnish.all.request_hit_ratio = "> 0.3"', "unknown"),
    ],
)
def test_objectives_may_name_what_caches_and_checks_found(tmp_path, objective, outcome):
    history = edge_lab()
    history.objectives = f"[objectives]\n{objective}\n"
    (decision,) = analyse(history.write(tmp_path)).verdict.decisions
    assert decision.outcome == outcome
