"""The origin dies and comes back."""

import time
from collections.abc import Iterator

import pytest

from tests.edges.conftest import OpenPlace, Place
from tests.stack.conftest import eventually


@pytest.fixture
def dying(place: Place) -> Iterator[Place]:
    """A place whose origin lives again after the test."""
    yield place
    if not place.origin.is_open:
        place.origin.open()


def test_an_old_page_is_better_than_none_and_a_fresh_one_is_soon_had_again(dying: Place) -> None:
    place, page = dying, dying.expired()
    place.origin.die()
    answers = [place.edge.get(page) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {200}
    assert (
        "ttl=-1; detail=STALE" in answers[0].said()
    )  # the others may get the shield's old page from a pop, for a second
    answer = answers[0]
    old = float(answer.headers["X-Generated-At"])
    place.origin.open()
    assert eventually(lambda: float(place.edge.get(page).headers["X-Generated-At"]) > old)


def test_a_checkout_fails_at_once_and_is_told_so_in_the_shops_language(dying: Place) -> None:
    place = dying
    place.origin.die()
    for method in ("POST", "GET"):
        took_s = []
        for _ in range(3):
            begun = time.monotonic()
            answer = place.edge.get("/checkout/payment", method=method)
            took_s.append(time.monotonic() - begun)
        assert min(took_s) < 1  # a busy machine may delay some
        assert answer.status_code in {502, 503}
        assert answer.headers["Retry-After"] == "2"
        assert "Toko sedang tidak dapat dihubungi" in answer.text
        assert int(answer.headers["Content-Length"]) < 1000


def test_a_page_that_was_never_there_fails_at_once_and_is_not_remembered_as_a_failure(dying: Place) -> None:
    place = dying
    place.origin.die()
    page = place.origin.page()
    assert place.edge.get(page).status_code in {502, 503}
    place.origin.open()
    assert eventually(lambda: place.edge.get(page).status_code == 200, within_s=3)


def test_errors_of_the_origin_do_not_push_an_old_page_out(place: Place) -> None:
    page = place.expired()
    place.origin.recipes[page].status = "503 Service Unavailable"
    for _ in range(3):
        answer = place.edge.get(page)
        assert (answer.status_code, answer.text) == (200, "x" * 2000)
    place.origin.recipes[page].status = "200 OK"
    place.origin.recipes[page].body = "y" * 2000
    assert eventually(lambda: place.edge.get(page).text == "y" * 2000)


def test_before_another_origin_the_page_is_english(open_place: OpenPlace) -> None:
    place = open_place("varnish", is_shop=False)
    place.origin.die()
    try:
        assert "The site cannot be reached" in place.edge.get("/checkout", method="POST").text
    finally:
        place.origin.open()
