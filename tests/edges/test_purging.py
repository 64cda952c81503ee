"""A page that has changed is shown at once when the purge doors were told."""

import pytest
import requests

from reference_shop.edges import PROFILES, EdgeOptions
from reference_shop.edges.layout import inner_doors
from tests.edges.conftest import OpenPlace, Place


def test_a_purge_by_url_shows_the_new_page_everywhere(place: Place) -> None:
    page = place.origin.page()
    doors = range(len(place.edge.urls))
    for door in doors:
        place.edge.get(page, door)
    place.origin.recipes[page].body = "new" * 500
    assert {answer.status_code for answer in place.edge.purge(page)} == {200}
    assert [place.edge.get(page, door).text for door in doors] == ["new" * 500] * len(doors)


@pytest.mark.parametrize("profile", ["varnish", "two-tier"])
def test_a_purge_by_key_drops_every_page_that_shows_the_product(open_place: OpenPlace, profile: str) -> None:
    place = open_place(profile)
    keys = ("product-7", "product-77")
    pages = [place.origin.page(headers=f"Surrogate-Key: product-{profile} {key}") for key in keys]
    for page in pages:
        place.edge.get(page)
    assert place.edge.purge(pages[0], **{"Surrogate-Key": "product-7 product-8"})[0].text.strip() == "Purged 1"
    for page in pages:
        place.edge.get(page)
    assert [place.origin.count(page) for page in pages] == [2, 1]
    assert place.edge.purge(pages[1], **{"Surrogate-Key": f"product-{profile}"})[0].text.strip() == "Purged 2"


def test_a_refresh_carries_the_purgers_number(open_place: OpenPlace) -> None:
    place = open_place("nginx")
    page = place.origin.page()
    place.edge.get(page, **{"X-Request-ID": "visit-1"})
    place.edge.purge(page)
    assert [asked.headers["x-request-id"] for asked in place.origin.questions(page)] == ["visit-1", "purge-1"]


def test_shoppers_cannot_purge(place: Place) -> None:
    page = place.origin.page()
    place.edge.get(page)
    place.origin.recipes[page].body = "new"
    place.edge.get(page, method="PURGE", **{"Surrogate-Key": "product-1"})
    assert place.edge.get(page).text == "x" * 2000


def test_a_purge_door_purges_and_nothing_else(place: Place) -> None:
    for process in place.edge.processes:
        if process.purge_door:
            assert process.purge_door[0].startswith("http://127.0.0.1:")
            assert requests.get(process.purge_door[0] + "/", timeout=5).status_code == 405


def test_there_are_doors_only_where_somebody_purges() -> None:
    named = {name: inner_doors(profile, EdgeOptions(purge="auto")) for name, profile in PROFILES.items()}
    assert named == {
        "direct": (),
        "nginx-pass": (),
        "nginx-micro": ("purge-edge",),
        "nginx": ("purge-edge",),
        "varnish": ("cache", "purge-edge"),
        "two-tier": ("shield", "purge-shield", "purge-pop-1", "purge-pop-2"),
        "custom": ("cache",),
    }
    assert inner_doors(PROFILES["nginx"], EdgeOptions()) == ()
