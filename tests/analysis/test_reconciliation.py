"""Shoppers' side and shop's side: whether as many requests went on as the shop's log has."""

import pytest

from analysis.run import analyse
from loadgen.records import Event
from tests.recorded_run import STARTED_AT, edge_lab, foreign_to_every_log, ordinary


def account(history, tmp_path):
    return analyse(history.write(tmp_path)).network.reconciliation


def direct(logged=1200):
    """A shop without an edge, 20 requests a second for a minute, and what its log has of them."""
    history = ordinary()
    history.cacheable.clear()
    history.origin[:] = [
        {"elapsed_s": 30, "tier": "shop", "page_kind": "product", "cache_status": "none", "request_count": logged}
    ]
    return history


def test_without_an_edge_every_request_went_on(tmp_path):
    found = account(direct(), tmp_path)
    assert (found.client_request_count, found.forwarded_count, found.difference) == (1200, 1200, 0)
    assert found.sentence == (
        "Of 1,200 requests, 1,200 went on to the shop. "
        "The shop's own log has 1,200 that somebody waited for: it adds up."
    )


def test_a_request_is_answered_once_whichever_cache_it_was(tmp_path):
    found = account(edge_lab(), tmp_path)
    assert found.as_json() == {
        "client_request_count": 60 * 26,
        "answered_by_cache_count": 55 * 17 - 3 * 2,
        "answered_by_edge_count": 60,
        "unanswered_count": 6,
        "forwarded_count": 5 * 25 + 55 * 8,
        "origin_client_count": 5 * 25 + 55 * 8,
        "difference": 0,
        "explained": True,
        "sentence": "Of 1,560 requests, caches answered 929, the edge itself answered 60, 565 went on to the shop and "
        "6 got no answer. The shop's own log has 565 that somebody waited for: it adds up.",
    }


def test_probes_are_requests_like_any_other(tmp_path):
    history = direct(1210)
    history.ok_ms[20, "probe"] = [5.0] * 10
    found = account(history, tmp_path)
    assert (found.client_request_count, found.difference) == (1210, 0)
    assert found.sentence.startswith("Of 1,210 requests (10 of them probes), ")


def test_operators_requests_are_on_neither_side(tmp_path):
    history = direct()
    history.ok_ms[20, "ops"] = [5.0] * 10
    history.origin.append({**history.origin[0], "page_kind": "ops", "request_count": 70})
    assert account(history, tmp_path).difference == 0


@pytest.mark.parametrize("failure", ["timeout", "protocol"])
def test_an_answer_that_got_lost_explains_one_request_more_at_the_shop(tmp_path, failure):
    history = direct(1202)
    history.failed[20, "product"] = {failure: 2}
    found = account(history, tmp_path)
    assert (found.unanswered_count, found.forwarded_count, found.difference) == (2, 1200, 2)
    assert found.explained
    assert found.sentence.endswith(
        "2 more, which is explained: 2 requests got no answer, and the shop may have given one to each."
    )


@pytest.mark.parametrize("failure", ["connect", "refused", "tls"])
def test_what_never_left_the_generator_explains_nothing(tmp_path, failure):
    history = direct(1202)
    history.failed[20, "product"] = {failure: 2}
    assert not account(history, tmp_path).explained


def test_what_a_server_on_the_way_answered_never_went_on_to_the_shop(tmp_path):
    history = direct(1200)
    history.failed[20, "product"] = {"http_5xx": 3}
    history.said(20, "gateway", local=3)
    history.ok_ms[20, "probe"] = [5.0]
    history.said(20, "http-parser", "probe", local=1)
    found = account(history, tmp_path)
    assert (found.answered_by_edge_count, found.forwarded_count, found.difference) == (4, 1200, 0)
    assert found.sentence.startswith(
        "Of 1,204 requests (1 of them probes), a server on the way answered 4 and 1,200 went on to the shop."
    )


def test_errors_that_are_the_shops_own_explain_nothing(tmp_path):
    history = direct(1200)
    history.failed[20, "product"] = {"http_5xx": 3}
    found = account(history, tmp_path)
    assert (found.difference, found.explained) == (-3, False)


@pytest.mark.parametrize(("more", "explained"), [(3, True), (4, False)])
def test_a_shop_may_answer_after_a_server_on_the_way_gave_up(tmp_path, more, explained):
    history = direct(1200 + more)
    history.failed[20, "product"] = {"http_5xx": 3}
    history.said(20, "gateway", local=3)
    found = account(history, tmp_path)
    assert (found.difference, found.explained) == (more, explained)
    assert "for 3 requests a server on the way gave up, and the shop may not have" in found.sentence


def test_a_request_that_could_not_be_read_was_never_at_the_shop(tmp_path):
    history = direct(1201)
    history.ok_ms[20, "probe"] = [5.0]
    history.said(20, "http-parser", "probe", local=1)
    found = account(history, tmp_path)
    assert (found.difference, found.explained) == (1, False)


def test_shoppers_and_probes_both_wait_for_the_shop(tmp_path):
    history = direct(1200)
    history.ok_ms[20, "probe"] = [5.0] * 10
    history.origin.append({**history.origin[0], "cache_status": "probe", "request_count": 10})
    found = account(history, tmp_path)
    assert (found.origin_client_count, found.difference) == (1210, 0)


def test_a_difference_that_nothing_explains_is_told(tmp_path):
    found = account(direct(1100), tmp_path)
    assert (found.difference, found.explained) == (-100, False)
    assert found.sentence.endswith("100 fewer, and nothing in the record explains it.")


@pytest.mark.parametrize(("lost", "explained"), [(60, True), (61, False)])
def test_around_a_fault_what_was_in_flight_may_be_missing(tmp_path, lost, explained):
    history = direct(1200 - lost)
    history.event(35.6, "fault_started", fault="kill-worker", role="shop-1")  # 20 requests in each of 3 seconds
    found = account(history, tmp_path)
    assert found.explained is explained
    assert ("of 60 requests around the fault" in found.sentence) is True


def test_beyond_what_is_explained_the_rest_is_named(tmp_path):
    history = direct(1120)
    history.event(35.6, "fault_started", fault="edge-lost", role="edge")
    found = account(history, tmp_path)
    assert "80 fewer, of which 20 are not explained: of 60 requests around the fault" in found.sentence


def test_what_a_cache_answered_around_a_fault_explains_nothing(tmp_path):
    history = edge_lab()
    lost = 29
    for row in (row for row in history.origin if (row["tier"], row["cache_status"]) == ("shop", "client")):
        row["request_count"] -= (taken := min(lost, row["request_count"]))
        lost -= taken
    found = account(history, tmp_path)
    # Seconds 34 to 36 have 78 requests, of which caches and edge answered 17 + 15 + 15 and 3.
    assert (found.difference, found.explained) == (-29, False)
    assert "around the fault" in found.sentence
    assert "of which 1 are not explained" in found.sentence


@pytest.mark.parametrize("fault", ["purge-storm", "origin-slow"])
def test_a_fault_that_loses_nothing_explains_nothing(tmp_path, fault):
    history = direct(1199)
    history.event(35.6, "fault_started", fault=fault)
    assert not account(history, tmp_path).explained


def test_a_worker_that_was_lost_took_counts_along(tmp_path):
    history = direct(1210)
    history.events.append(Event(STARTED_AT + 30, "worker_lost", {"worker": "worker-1"}))
    assert account(history, tmp_path).explained


def test_a_shop_without_a_log_cannot_be_held_against_anything(tmp_path):
    assert account(foreign_to_every_log(), tmp_path) is None


def test_caches_of_which_only_the_nearest_was_recorded_cannot_be_counted(tmp_path):
    assert account(ordinary(), tmp_path) is None


@pytest.mark.parametrize(("logged", "verdict"), [(1190, "pass"), (1100, "unknown")])
def test_an_unexplained_difference_is_no_failed_verdict(tmp_path, logged, verdict):
    assert analyse(direct(logged).write(tmp_path)).verdict.verdict == verdict
