"""Odd requests for a page, and what others get after them, in front of caches and shops of all sorts."""

from collections.abc import Callable
from itertools import count
from random import Random

import pytest

from scenarios.safety import method_override, oversized_header, poisoning
from scenarios.safety.aftermath import MARK, Aftermath, Oddity
from tests.scenarios.safety_edges import (
    BUSY,
    PUBLIC,
    Edge,
    Notes,
    Reply,
    Request,
    keeps_all,
    keeps_nothing,
    obeys,
    run,
    shop,
)

KINDS = {kind.CHECK: kind.ODDITIES for kind in (poisoning, method_override, oversized_header)}
HEADERS = [oddity.headers[0][0] for oddity in poisoning.ODDITIES]
REFUSED = Reply(400, "bad request")


def probe(check: str, edge: Edge, rounds: int | None = None) -> Notes:
    """All oddities of a check once, or so many rounds of two."""
    notes = Notes()
    oddities = KINDS[check]
    run(
        Aftermath(check, oddities, asker=edge, witness=notes, draw_page=lambda: "/product/7").round,
        rounds or len(oddities),
    )
    return notes


def try_one(oddity: Oddity, edge: Edge) -> list[str]:
    notes = Notes()
    run(Aftermath("poisoning", (oddity,), asker=edge, witness=notes, draw_page=lambda: "/product/7").round)
    return [leak["told"] for leak in notes.leaks]


def refuses_methods(request: Request) -> Reply:
    overridden = any("override" in name.lower() or name == "X-HTTP-Method" for name in request.headers)
    return Reply(405, "no such method") if overridden else shop(request)


def refuses_large_headers(request: Request) -> Reply:
    too_odd = any(len(value) > 8192 or "\x07" in value for value in request.headers.values())
    return REFUSED if too_odd else shop(request)


@pytest.mark.parametrize("name", HEADERS)
def test_a_header_that_comes_back_to_others_is_a_leak(name: str) -> None:
    def echoes(request: Request) -> Reply:
        return Reply(200, f"<link href='//{request.headers.get(name, 'own')}/'>", PUBLIC.headers)

    [oddity] = [oddity for oddity in poisoning.ODDITIES if oddity.headers[0][0] == name]
    told = f"after a request with another {name}, what it had said stands in the answer to somebody else's plain one"
    assert set(try_one(oddity, Edge(echoes))) == {told}
    assert try_one(oddity, Edge(echoes, keeps_nothing)) == []


def test_a_word_in_a_kept_header_is_found_in_any_case() -> None:
    def leads(request: Request) -> Reply:
        host = request.headers.get("X-Forwarded-Host", "")
        return Reply(200, "page", {**PUBLIC.headers, "link": f"<https://{host.upper()}/>"}) if host else PUBLIC

    assert len(try_one(poisoning.ODDITIES[0], Edge(leads))) == 2


@pytest.mark.parametrize(
    ("spoilt", "told"),
    [
        (Reply(301, "", {"location": "/elsewhere"}), "led elsewhere (status 301)"),
        (Reply(404, "no such page"), "answered with status 404"),
        (Reply(200, ""), "answered with nothing"),
        (Reply(503, "cannot"), "answered with status 503"),
    ],
)
@pytest.mark.parametrize("signed", [True, False], ids=["signed", "unsigned"])
def test_a_page_that_is_spoilt_for_others_is_a_leak(spoilt: Reply, told: str, *, signed: bool) -> None:
    edge = Edge(lambda request: spoilt if request.headers else shop(request), keeps_all, signed=signed)
    leaks = try_one(Oddity("an odd header", (("X-Odd", "1"),)), edge)
    if spoilt.status == 503 and not signed:
        assert leaks == []  # nobody can tell it from a shop that has too much to do
    else:
        assert leaks == [f"after a request with an odd header, somebody else's plain one was {told}"] * 2


@pytest.mark.parametrize("check", KINDS)
def test_a_careful_edge_is_called_safe(check: str) -> None:
    edge = Edge()
    notes = probe(check, edge, 10)
    assert (notes.checked, notes.leaks) == ({check: 20}, [])
    assert len(edge.asked) == 40
    assert len({asked.url for asked in edge.asked}) == 20
    assert all(asked.token is None for asked in edge.asked)


def test_a_method_that_a_shop_takes_from_a_header_spoils_a_page_in_a_cache_that_keeps_errors() -> None:
    notes = probe("method-override", Edge(refuses_methods, lambda request, reply: request.method == "GET"))
    assert len(notes.leaks) == 2 * 6
    assert notes.checked == {"method-override": 2 * 7}
    assert probe("method-override", Edge(refuses_methods)).leaks == []


def test_a_cache_that_takes_the_answer_to_a_head_for_the_page_is_a_leak() -> None:
    notes = probe("method-override", Edge(shop, lambda request, reply: request.method == "HEAD"))
    told = "after a request with the method HEAD, somebody else's plain one was answered with nothing"
    assert [leak["told"] for leak in notes.leaks] == [told] * 2


def test_a_refused_header_spoils_a_page_in_a_cache_that_keeps_errors() -> None:
    notes = probe("oversized-header", Edge(refuses_large_headers, keeps_all))
    assert {leak["told"].partition(",")[0] for leak in notes.leaks} == {
        "after a request with a header of 12 kB",
        "after a request with a header of 20 kB",
        "after a request with a control character in a header",
    }
    assert notes.checked == {"oversized-header": 8}
    assert probe("oversized-header", Edge(refuses_large_headers)).leaks == []


def test_a_leak_says_where_it_is() -> None:
    [leak, *_] = probe("oversized-header", Edge(refuses_large_headers, keeps_all)).leaks
    assert leak["url"].startswith("/product/7?probe=")
    assert (leak["key"], leak["cache_status"]) == (f"shop.test{leak['url']}", "edge; hit")


@pytest.mark.parametrize("check", KINDS)
@pytest.mark.parametrize("rule", [obeys, keeps_all], ids=["obeys", "keeps errors"])
def test_a_shop_that_is_busy_now_and_then_is_no_leak(check: str, rule: Callable[[Request, Reply], bool]) -> None:
    def keeps(request: Request, reply: Reply) -> bool:
        return request.method == "GET" and rule(request, reply)

    rng = Random(11)
    notes = probe(check, Edge(lambda request: BUSY if rng.random() < 0.2 else shop(request), keeps), 100)
    assert notes.leaks == []
    assert 100 < notes.checked[check] < 200


@pytest.mark.parametrize("answer", [BUSY, Reply(0, ""), Reply(429, "slower"), Reply(404, "no such product"), REFUSED])
@pytest.mark.parametrize("check", KINDS)
def test_a_shop_that_answers_everything_so_leaves_the_question_open(check: str, answer: Reply) -> None:
    notes = probe(check, Edge(lambda request: answer))
    assert (notes.checked, notes.leaks) == ({}, [])


@pytest.mark.parametrize("check", KINDS)
def test_a_page_that_changes_between_two_requests_is_no_leak(check: str) -> None:
    versions = count()
    edge = Edge(lambda request: Reply(200, f"<p>{next(versions)} left</p>", PUBLIC.headers), keeps_nothing)
    notes = probe(check, edge, 10)
    assert (notes.checked, notes.leaks) == ({check: 20}, [])


def test_an_error_that_comes_once_is_no_leak() -> None:
    answers = iter([PUBLIC, Reply(400, "oops"), PUBLIC, PUBLIC, PUBLIC])
    edge = Edge(lambda request: next(answers), keeps_nothing)
    assert try_one(Oddity("an odd header", (("X-Odd", "1"),)), edge) == []


def test_every_probe_of_a_header_says_a_word_of_its_own() -> None:
    assert all(MARK in value for oddity in poisoning.ODDITIES for _, value in oddity.headers)
    edge = Edge()
    probe("poisoning", edge)
    said = [value for asked in edge.asked for value in asked.headers.values()]
    assert len(said) == len(set(said)) == 2 * len(HEADERS)
    assert not any(MARK in value for value in said)
