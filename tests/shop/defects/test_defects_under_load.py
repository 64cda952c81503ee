"""Defects of speed and endurance: what an operator would look at shows each of them, and nothing in a sound shop."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest

from reference_shop.edges import nginx
from tests.shop.defects import checks
from tests.shop.defects.sites import Site, Sites


@dataclass(frozen=True, slots=True)
class Look:
    """Where a defect is looked for, in a worker with these settings."""

    shows: Callable[[Site], bool]
    settings: Mapping[str, object] = field(default_factory=dict)


LOOKS = {
    "n-plus-one": Look(checks.reads_cards_one_by_one, {"session": "?log_statement=all"}),
    "lock-order": Look(checks.deadlocks, {"session": "?deadlock_timeout=100ms"}),
    "connection-leak": Look(checks.runs_out_of_connections, {"max_connections": checks.FEW_CONNECTIONS}),
    "memory-leak": Look(checks.grows_with_every_page),
    "blocking-call": Look(checks.stands_still_for_payments),
    "gc-pause": Look(checks.pauses_every_fifty_pages),
    "no-payment-timeout": Look(checks.waits_for_a_silent_provider, {"protections": ["payment-timeout"]}),
    "retry-storm": Look(checks.asks_again_without_end),
    "unbounded-queue": Look(checks.turns_nobody_away, {"concurrency": checks.FEW_PLACES, "delay_ms": 100}),
    "cart-leak": Look(checks.shows_somebody_elses_cart, {"behind_edge": True}),
}


@pytest.mark.parametrize("planted", [True, False], ids=["planted", "sound"])
@pytest.mark.parametrize("name", LOOKS)
def test_a_look_at_the_shop_shows_whether_it_has_the_defect(sites: Sites, name: str, planted: bool) -> None:
    if name == "cart-leak" and nginx.find_program() is None:
        pytest.skip("nginx is not installed")
    look = LOOKS[name]
    with sites.open(name if planted else None, **look.settings) as site:
        assert look.shows(site) is planted
