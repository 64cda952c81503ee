"""Poisoning, deception and the planted leak: every profile is as safe, or as unsafe, as it says of itself."""

import time

import pytest

from tests.edges.conftest import Place

_UNKEYED = (
    "X-Forwarded-Host",
    "X-Forwarded-Scheme",
    "X-Forwarded-Port",
    "X-Original-URL",
    "X-Rewrite-URL",
    "X-HTTP-Method-Override",
    "X-HTTP-Method",
    "X-Method-Override",
    "Forwarded",
    "X-Host",
)


def test_headers_that_are_not_in_the_key_do_not_reach_the_origin(any_place: Place) -> None:
    page = any_place.origin.page()
    any_place.edge.get(page, **dict.fromkeys(_UNKEYED, "evil.example"), **{"X-Forwarded-Proto": "evil"})
    headers = any_place.origin.questions(page)[0].headers
    assert "evil" not in "".join(headers.values())


@pytest.mark.parametrize(
    "status", ["400 Bad Request", "405 Method Not Allowed", "414 URI Too Long", "431 Too Large", "500 Oops"]
)
def test_an_error_is_shown_to_nobody_else_even_where_the_origin_would_have_it_kept(place: Place, status: str) -> None:
    page = place.origin.page("public, max-age=600, s-maxage=600", status=status)
    assert [place.edge.get(page).status_code for _ in range(2)] == [int(status[:3])] * 2
    place.origin.recipes[page].status = "200 OK"
    assert _soon(place, page) == 200


@pytest.mark.parametrize("status", ["200 OK", "301 Moved Permanently", "404 Not Found"])
def test_answers_that_are_the_same_for_all_are_kept_when_the_origin_says_so(place: Place, status: str) -> None:
    page = place.origin.page("public, s-maxage=60", status=status, headers="Location: /elsewhere")
    assert place.edge.status(page).endswith("; stored")
    assert place.edge.status(page).endswith("; hit")


def test_an_oversized_header_spoils_no_page(place: Place) -> None:
    page = place.origin.page()
    refused = place.edge.get(page, **{"X-Filler": "x" * 20_000})
    assert refused.status_code >= 400
    assert place.edge.get(page).status_code == 200
    assert place.origin.count(page) == 1


def test_the_body_of_a_get_changes_no_page(place: Place) -> None:
    page = place.origin.page()
    answer = place.edge.ask(page, data="q=evil")
    assert answer.said().endswith(f"{place.edge.name}; fwd=bypass")
    assert place.edge.status(page).endswith("; stored")


def test_a_head_request_leaves_a_whole_page_in_the_cache(place: Place) -> None:
    page = place.origin.page()
    assert place.edge.get(page, method="HEAD").text == ""
    assert place.edge.get(page).text == "x" * 2000


_DECEPTIVE = (
    "/account/{}.css",
    "/account%2f{}.css",
    "/cart;{}.css",
    "/cart.css?{}",
    "/%63art?{}",
    "/CART/{}",
    "//cart/{}.png",
    "/{}/../cart",
    "/orders/{}/confirmation/x.js",
    "/fragment/header/{}.css",
)


@pytest.mark.parametrize("name", _DECEPTIVE)
def test_a_personal_page_under_a_name_like_a_files_is_not_kept(place: Place, name: str) -> None:
    """The origin here is as naive as can be: it shows the page under any name, and lets all caches keep it."""
    page = place.origin.page("public, max-age=600", name=name, echoes="cookie")
    first = place.edge.get(page, Cookie="lonjak_cart=mine")
    second = place.edge.get(page, Cookie="lonjak_cart=yours")
    assert place.edge.site.profile.safety["deception"].answer == "safe"
    assert "stored" not in first.said()
    assert "hit" not in second.said()
    assert "mine" not in second.text
    assert first.text == "for lonjak_cart=mine" or "detail=LOCAL" in first.said()


def test_a_name_that_only_begins_like_a_personal_one_is_kept(place: Place) -> None:
    for name in ("/cartoons/{}", "/orders-of-magnitude/{}", "/search?q=cart&n={}"):
        page = place.origin.page(name=name)
        place.edge.get(page)
        assert place.edge.status(page).endswith("; hit")


def test_the_planted_leak_leaks_where_the_profile_says_so(any_place: Place) -> None:
    """The defect cart-leak: /cart may be kept by all, and sends nginx to an address that is not a personal one."""
    origin, edge = any_place.origin, any_place.edge
    new_home = origin.page(name="/mine/cart/{}", echoes="cookie")
    cart = origin.page(name="/cart?{}", echoes="cookie", headers=f"X-Accel-Redirect: {new_home}")
    edge.get(cart, Cookie="lonjak_cart=mine")
    other = edge.get(cart, Cookie="lonjak_cart=yours")
    assert ("mine" in other.text) == (edge.site.profile.safety["cart-leak"].answer == "leaks")


def _soon(place: Place, page: str) -> int:
    """The status, once failures are no longer remembered."""
    deadline = time.monotonic() + 3
    while (status := place.edge.get(page).status_code) != 200 and time.monotonic() < deadline:
        time.sleep(0.1)
    return status
