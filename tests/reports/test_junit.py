"""junit.xml as a CI server counts it."""

from dataclasses import replace
from xml.etree import ElementTree as ET

from analysis.run import analyse
from reports import junit
from reports.network_words import CHECKS
from tests.recorded_run import edge_lab, ordinary


def suite(history, tmp_path):
    return ET.fromstring(junit.render(analyse(history.write(tmp_path)))).find("testsuite")


def counts(found):
    return {name: int(found.get(name)) for name in ("tests", "failures", "errors", "skipped")}


def test_a_passed_run_is_green(tmp_path):
    found = suite(ordinary(), tmp_path)
    assert counts(found) == {"tests": 7, "failures": 0, "errors": 0, "skipped": 0}
    assert [case.get("name") for case in found] == [
        "failed_ratio < 0.01",
        "response_time_ms.all.p95 < 300",
        "Every order that a shopper was told of is paid, and no other is",
        "Nobody was charged twice",
        "Every order cost what its shopper agreed to",
        "Everybody got what was in their own cart",
        "the run gives a verdict",
    ]


def test_a_missed_objective_and_a_lost_order_are_failures(tmp_path):
    history = ordinary()
    history.outage(20, 30)
    history.order(5)
    found = suite(history, tmp_path)
    assert counts(found) == {"tests": 7, "failures": 2, "errors": 0, "skipped": 0}
    assert found.find("testcase/failure").get("message") == "failed_ratio is 0.25, not < 0.01"
    assert [case.get("classname") for case in found if case.find("failure") is not None] == [
        "evening.objectives",
        "evening.audit",
    ]


def test_an_invariant_that_was_not_checked_is_no_case(tmp_path):
    history = ordinary()
    history.truth = None
    history.ledger.clear()
    assert [case.get("classname") for case in suite(history, tmp_path)] == [
        "evening.objectives",
        "evening.objectives",
        "evening.run",
    ]


def test_every_leak_that_was_looked_for_is_a_case(tmp_path):
    cases = [case for case in suite(edge_lab(), tmp_path) if case.get("classname") == "evening.safety"]
    assert [case.get("name") for case in cases] == list(CHECKS.values())
    assert [case.find("failure").get("message") for case in cases if case.find("failure") is not None] == [
        "A personal page was given to somebody else: 2 of 360 checks, first /cart.",
        "A cache kept a personal page under an address that looks public: 2 of 6 checks, first /account/x.css.",
    ]


def test_a_run_without_verdict_is_an_error_and_what_it_could_not_decide_is_skipped(tmp_path):
    history = ordinary()
    history.objectives += 'response_time_ms.checkout.p95 = "< 500"\n'
    history.truth = None
    found = suite(history, tmp_path)
    assert counts(found) == {"tests": 5, "failures": 0, "errors": 1, "skipped": 2}
    assert found.find("testcase/error").get("type") == "samples"


def test_control_characters_do_not_break_the_document(tmp_path):
    history = ordinary()
    history.manifest = replace(history.manifest, scenario="a\x00\x1b<&")
    assert suite(history, tmp_path).get("name") == "lonjak.a��<&"
