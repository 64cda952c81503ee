"""Defects of speed and endurance: what an operator would look at shows each of them, and nothing in a sound shop."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import pytest

from reference_shop.edges import programs
from tests.shop.database import ask
from tests.shop.defects import checks
from tests.shop.defects.sites import PRODUCT_COUNT, Site, Sites, database_url
from tests.shop.processes import SCHEMA, seed_shop

USUAL = {"session": "?log_statement=all&deadlock_timeout=100ms", "behind_edge": True}


@dataclass(frozen=True, slots=True)
class Look:
    """Where a defect is looked for, in a worker with these settings."""

    shows: Callable[[Site], bool]
    settings: Mapping[str, object] = field(default_factory=lambda: USUAL)


LOOKS = {
    "n-plus-one": Look(checks.reads_cards_one_by_one),
    "lock-order": Look(checks.deadlocks),
    "connection-leak": Look(checks.runs_out_of_connections),
    "memory-leak": Look(checks.grows_with_every_page),
    "blocking-call": Look(checks.stands_still_for_carts),
    "gc-pause": Look(checks.pauses_every_fifty_pages),
    "cart-leak": Look(checks.shows_somebody_elses_cart),
    "no-payment-timeout": Look(checks.waits_for_a_silent_provider, {"protections": ["payment-timeout"]}),
    "retry-storm": Look(checks.asks_again_without_end, {}),
    "unbounded-queue": Look(checks.turns_nobody_away, {"concurrency": checks.FEW_PLACES, "delay_ms": 100}),
}


@pytest.fixture(scope="module")
def usual(sites: Sites) -> Iterator[Site]:
    """A sound shop for all looks that leave it as it was."""
    with sites.open(None, **USUAL) as site:
        yield site


@pytest.fixture(autouse=True)
def _nginx_where_it_is_needed(request: pytest.FixtureRequest) -> None:
    if "cart-leak" in request.node.name and programs.find("nginx") is None:
        pytest.skip("nginx is not installed")


@pytest.mark.parametrize("name", LOOKS)
def test_a_look_at_the_shop_shows_the_defect(sites: Sites, name: str) -> None:
    with sites.open(name, **LOOKS[name].settings) as site:
        assert LOOKS[name].shows(site)


@pytest.mark.parametrize("name", [name for name, look in LOOKS.items() if look.settings is USUAL])
def test_the_same_look_at_a_sound_shop_shows_nothing(usual: Site, name: str) -> None:
    assert not LOOKS[name].shows(usual)


@pytest.mark.parametrize("name", [name for name, look in LOOKS.items() if look.settings is not USUAL])
def test_the_same_look_at_a_sound_shop_under_stress_shows_nothing(sites: Sites, name: str) -> None:
    with sites.open(None, **LOOKS[name].settings) as site:
        assert not LOOKS[name].shows(site)


def test_lists_and_search_have_no_index_after_a_seed_without_it(sites: Sites) -> None:
    ask(sites.postgres.url, "CREATE DATABASE without_indexes")
    url = database_url(sites.postgres.url, "without_indexes")
    seed_shop(url, sites.images, SCHEMA, PRODUCT_COUNT, defects=("missing-index",))
    assert checks.reads_the_whole_catalogue(url)


def test_lists_and_search_have_an_index_after_a_sound_seed(sites: Sites) -> None:
    assert not checks.reads_the_whole_catalogue(database_url(sites.postgres.url, sites.template))
