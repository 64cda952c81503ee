"""What caches say of themselves: Cache-Status (RFC 9211), the number of a request, what shoppers are not shown."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.edges.conftest import STALE, OpenPlace, Place, let_expire
from tests.stack.conftest import eventually


def test_a_page_is_fetched_and_stored_and_then_a_hit(place: Place) -> None:
    page, edge = place.origin.page(), place.edge
    assert edge.status(page) == f"{edge.name}; fwd=uri-miss; stored"
    assert edge.status(page) == f"{edge.name}; hit"
    assert place.origin.count(page) == 1


@pytest.mark.parametrize(
    ("caching", "headers"),
    [
        ("private, no-store", ""),
        ("private, max-age=60", ""),
        ("no-cache", ""),
        ("public, s-maxage=0, max-age=60", ""),
        ("public, max-age=60", "Set-Cookie: a=b"),
        ("public, max-age=60", "Vary: *"),
        ("must-revalidate", ""),
    ],
)
def test_what_is_not_for_everybody_is_never_stored(place_by_headers: Place, caching: str, headers: str) -> None:
    page, edge = place_by_headers.origin.page(caching, headers=headers), place_by_headers.edge
    assert [edge.status(page) for _ in range(2)] == [f"{edge.name}; fwd=uri-miss"] * 2
    assert place_by_headers.origin.count(page) == 2


@pytest.mark.parametrize("caching", ["private, no-store", "private, max-age=60", "no-cache", "must-revalidate"])
def test_a_lifetime_of_our_own_makes_nothing_public(open_place: OpenPlace, caching: str) -> None:
    place = open_place("nginx-micro")
    page = place.origin.page(caching)
    assert [place.edge.status(page) for _ in range(2)] == ["lonjak-nginx; fwd=uri-miss"] * 2


def test_a_micro_cache_keeps_a_page_for_a_second_whatever_lifetime_it_was_given(open_place: OpenPlace) -> None:
    place = open_place("nginx-micro")
    page = place.expired("public, max-age=0, s-maxage=600")
    assert place.edge.status(page) == "lonjak-nginx; hit; ttl=-1; detail=STALE"
    assert eventually(lambda: place.origin.count(page) == 2)
    kept_with_a_cookie = place.origin.page("public, max-age=60", headers="Set-Cookie: a=b")
    assert [place.edge.status(kept_with_a_cookie) for _ in range(2)] == ["lonjak-nginx; fwd=uri-miss"] * 2


def test_a_stale_page_is_served_while_a_new_one_is_fetched_in_the_shoppers_name(place: Place) -> None:
    page = place.expired(STALE)
    answer = place.edge.get(page, **{"X-Request-ID": "visit-2"})
    assert answer.said() == f"{place.edge.name}; hit; ttl=-1; detail=STALE"
    assert eventually(lambda: place.origin.count(page) == 2)
    assert place.origin.questions(page)[1].headers["x-request-id"] == "visit-2"


def test_an_expired_page_is_not_served_stale_unless_the_shop_allows_it(place_by_headers: Place) -> None:
    page, edge = place_by_headers.expired(), place_by_headers.edge
    assert edge.status(page).startswith(f"{edge.name}; fwd=stale")
    assert place_by_headers.origin.count(page) == 2


def test_an_unchanged_page_is_as_old_as_the_last_question_about_it(place_by_headers: Place) -> None:
    page = place_by_headers.expired()
    asked_at = time.time()
    assert float(place_by_headers.edge.get(page).headers["X-Generated-At"]) > asked_at - 0.1


@pytest.mark.parametrize(("profile", "cache"), [("varnish", "lonjak-varnish"), ("two-tier", "lonjak-shield")])
def test_varnish_asks_whether_an_expired_page_has_changed(open_place: OpenPlace, profile: str, cache: str) -> None:
    place = open_place(profile)
    page = place.expired()
    assert place.edge.get(page).said().startswith(f"{cache}; fwd=stale; fwd-status=304")
    assert "if-none-match" in place.origin.questions(page)[1].headers
    changed = place.expired()
    place.origin.recipes[changed].body = "new"
    assert place.edge.get(changed).said().startswith(f"{cache}; fwd=stale; stored")


def test_two_shoppers_get_the_same_personal_page_at_the_same_time(any_place: Place) -> None:
    place = any_place
    page = place.origin.page("private, no-store", name="/cart?{}", meeting=threading.Barrier(4))
    with ThreadPoolExecutor(4) as shoppers:
        answers = list(shoppers.map(place.edge.get, [page] * 4))
    assert {answer.status_code for answer in answers} == {200}
    said = {answer.said().rpartition(", ")[2] for answer in answers}
    assert said == {f"{place.edge.name}; fwd=bypass"} if place.edge.site.profile.caches else {""}


def test_an_authorised_request_goes_past_the_cache(place: Place) -> None:
    page = place.origin.page()
    place.edge.get(page)
    assert place.edge.status(page, Authorization="Bearer x") == f"{place.edge.name}; fwd=bypass"
    fetched_with_authority = place.origin.page()
    place.edge.get(fetched_with_authority, Authorization="Bearer x")
    assert place.edge.status(fetched_with_authority) == f"{place.edge.name}; fwd=uri-miss; stored"


def test_a_post_is_forwarded_for_its_method(place: Place) -> None:
    assert place.edge.status(place.origin.page(), method="POST") == f"{place.edge.name}; fwd=method"


@pytest.mark.parametrize("path", ["/ops/truth", "/ops", "/metrics", "//ops/truth", "/%6fps/truth", "/a/..%2fops/truth"])
def test_the_shops_books_are_hidden(any_place: Place, path: str) -> None:
    asked_before = len(any_place.origin.asked)
    answer = any_place.edge.get(path)
    assert answer.status_code == 404
    assert answer.said().endswith("detail=LOCAL")
    assert len(any_place.origin.asked) == asked_before


def test_a_page_from_the_cache_carries_the_number_of_the_request_that_gets_it(place: Place) -> None:
    page = place.origin.page()
    for number in ("visit-1", "visit-2"):
        assert place.edge.get(page, **{"X-Request-ID": number}).headers["X-Request-ID"] == number
    assert place.origin.questions(page)[0].headers["x-request-id"] == "visit-1"
    odd = place.edge.get(page, **{"X-Request-ID": "a b"}).headers["X-Request-ID"]
    assert odd not in {"a b", "visit-1"}
    assert len(odd) >= 8


def test_shoppers_are_not_shown_what_is_between_shop_and_caches(place: Place) -> None:
    page = place.origin.page(headers="Surrogate-Key: product-1\r\nCache-Status: further-in; hit")
    first, second = place.edge.get(page), place.edge.get(page)
    for answer in (first, second):
        hidden = {"surrogate-key", "xkey", "via", "x-varnish", "x-accel-expires"}
        assert not hidden & {name.lower() for name in answer.headers}
        assert not [name for name in answer.headers if name.lower().startswith("x-edge")]
    assert first.said().startswith("further-in; hit, ")
    assert second.said() == f"{place.edge.name}; hit"  # the rest was true for another request


def test_every_cache_says_what_it_did_the_origin_side_first(open_place: OpenPlace) -> None:
    place = open_place("two-tier")
    page = place.origin.page()
    said = [place.edge.get(page, door).said() for door in (0, 1, 1)]
    assert said == [
        "lonjak-shield; fwd=uri-miss; stored, lonjak-pop-1; fwd=uri-miss; stored",
        "lonjak-shield; hit, lonjak-pop-2; fwd=uri-miss; stored",
        "lonjak-pop-2; hit",
    ]


def test_two_tiers_together_keep_a_page_no_longer_than_one(open_place: OpenPlace) -> None:
    place = open_place("two-tier")
    page = place.origin.page("public, s-maxage=3")
    place.edge.get(page, 0)
    time.sleep(2.2)
    place.edge.get(page, 1)  # has less than a second of it left
    let_expire(time.time())
    assert "fwd=stale" in place.edge.status(page, 1)


def test_the_origin_hears_who_asked_from_the_edge_alone(any_place: Place) -> None:
    page = any_place.origin.page("private, no-store")
    any_place.edge.get(page, **{"X-Forwarded-For": "192.0.2.7", "X-Request-ID": "order-17"})
    headers = any_place.origin.questions(page)[0].headers
    assert headers["x-forwarded-for"] == "127.0.0.1"
    assert headers["x-request-id"] == "order-17"
    assert headers["x-forwarded-proto"] == "http"
    assert headers["host"] == any_place.edge.host


def test_pages_are_compressed_and_stay_compressed(any_place: Place) -> None:
    page = any_place.origin.page()
    for accepted, told in (("gzip", "gzip"), ("gzip", "gzip"), ("identity", None), ("br;q=1, evil", None)):
        answer = any_place.edge.get(page, **{"Accept-Encoding": accepted})
        assert (answer.headers.get("Content-Encoding"), answer.text) == (told, "x" * 2000)


def test_a_get_is_sent_once_more_when_a_kept_connection_breaks_but_a_post_never(any_place: Place) -> None:
    page = any_place.origin.page("private, no-store")
    any_place.edge.get(page)
    any_place.origin.die()
    any_place.origin.open()  # kept connections are closed, new ones are served
    assert any_place.edge.get(page).status_code == 200
    assert any_place.origin.count(page, "POST") == 0
