"""A thousand shoppers, one page: the origin is asked once."""

import threading
from collections import Counter

from tests.edges.conftest import STALE, Place
from tests.edges.crowd import Answer, ask_at_once
from tests.stack.conftest import eventually

_SHOPPERS = 1000


def test_a_page_that_is_missing_is_fetched_once_for_a_thousand_shoppers(place: Place) -> None:
    # Answered when all have asked, and the edge has had time to read that.
    page = place.origin.page(gate=(gate := threading.Event()), delay_s=1.0)
    answers = ask_at_once(place.edge.urls, page, _SHOPPERS, when_sent=gate.set)
    assert place.origin.count(page) == 1
    assert Counter((answer.status, answer.body_length) for answer in answers) == {(200, 2000): _SHOPPERS}
    said = _said(answers)
    # One fetches at each cache that shoppers come to; some may come only when the page is there.
    fetched = sum(count for status, count in said.items() if status.endswith("fwd=uri-miss; stored"))
    assert fetched == len(place.edge.urls)
    assert sum(count for status, count in said.items() if "collapsed" in status) > _SHOPPERS / 2
    assert "collapses" in place.edge.site.profile.promises


def test_a_page_that_just_expired_is_fetched_once_and_nobody_waits_for_it(place: Place) -> None:
    page = place.expired(STALE)
    fetched_before = place.origin.count(page)
    place.origin.recipes[page].gate = gate = threading.Event()
    answers = ask_at_once(place.edge.urls[:1], page, _SHOPPERS)
    gate.set()  # the fetch was still under way
    assert eventually(lambda: place.edge.status(page).endswith("; hit"))
    assert (fetched_before, place.origin.count(page)) == (1, 2)
    assert {answer.status for answer in answers} == {200}
    assert not [status for status in _said(answers) if "stored" in status]


def _said(answers: list[Answer]) -> Counter[str]:
    return Counter(answer.headers["cache-status"].rpartition(", ")[2] for answer in answers)
