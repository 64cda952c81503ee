"""From a scenario to visits: which mix, which storefront, and what the shoppers of one process share.

`scenarios.door` hands every session to it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from functools import lru_cache
from urllib.parse import urlsplit

from loadgen.config import Scenario
from loadgen.errors import ConfigProblem, TargetUnrecognised
from loadgen.records import LedgerLine
from loadgen.session import Session
from scenarios.browser import Browser, Inspector
from scenarios.chase import Chase
from scenarios.deals import Deals
from scenarios.mix import Mix
from scenarios.mixes import MIXES
from scenarios.people import AccountBook
from scenarios.reference_recognition import why_not_recognised
from scenarios.reference_storefront import Catalogue, ReferenceStorefront
from scenarios.reference_visitor import SaleTerms
from scenarios.safety.rounds import SafetyRounds
from scenarios.shopper import Ending, walk
from scenarios.tagged_browser import TaggedBrowser
from scenarios.visit import Visit

STOREFRONTS = ("reference",)


class ShopVisits:
    """Everything one process needs to send its sessions to the shop; each knows which of its doors it comes through.

    `inspecting` makes what looks at the pages that a session gets.
    """

    def __init__(self, scenario: Scenario, *, inspecting: Callable[[Session], Inspector] | None = None) -> None:
        self._shoppers = scenario.shoppers
        self._mix = mix_of(scenario)
        self._inspecting = inspecting
        self._catalogue = Catalogue()
        self._accounts = AccountBook()
        self._deals = Deals.of(scenario)
        sale = scenario.flash_sale
        self._sale = SaleTerms(sale.product_id, sale.reservation_s) if sale else None

    def visit(self, session: Session) -> Generator[float, None, None]:
        """One shopper's whole visit; yields the seconds to think."""
        shoppers, browser = self._shoppers, self._browser(session)
        storefront = ReferenceStorefront(session, browser, self._catalogue, shoppers.patience_s, sale=self._sale)
        visit = Visit(
            storefront, self._accounts, session.random, shoppers.zipf_exponent, self._deals, lambda: session.at
        )
        ending = None
        try:
            ending = yield from walk(self._mix, visit, clock=time.monotonic, think_time_scale=shoppers.think_time_scale)
        finally:
            visit.leave()
            if visit.chase is not None:
                session.attempt(_line(visit.chase, session, cut=ending is None))
        if ending is Ending.ABANDONED:
            session.abandon()

    def companion(self, session: Session) -> Generator[float, None, None]:
        """What goes round beside the shoppers and looks for leaks; yields the seconds to think."""
        return SafetyRounds(session, self._sale.product_id if self._sale else None).steps()

    def _browser(self, session: Session) -> Browser:
        inspector = self._inspecting(session) if self._inspecting is not None else None
        kind = TaggedBrowser if self._mix.tags_addresses else Browser
        return kind(session, _origin(session.target), inspector=inspector)


@lru_cache(maxsize=64)
def _origin(target: str) -> str:
    return "{0.scheme}://{0.netloc}".format(urlsplit(target))


def _line(chase: Chase, session: Session, *, cut: bool) -> LedgerLine:
    """What became of a shopper's wish to buy in the flash sale, one line for each of them."""
    outcome, reason = chase.end(cut=cut)
    return LedgerLine(
        at=session.at,
        action="flash_sale",
        outcome=outcome,
        session=session.number,
        order_id=chase.order_id,
        items=((chase.product_id, chase.units),),
        reason=reason,
    )


def mix_of(scenario: Scenario) -> Mix:
    """The mix a scenario names; ConfigProblem says which names there are, for mix and storefront at once."""
    problems = []
    if scenario.shoppers.mix not in MIXES:
        problems.append(_unknown(scenario, "[shoppers] mix", scenario.shoppers.mix, tuple(MIXES)))
    if scenario.storefront not in STOREFRONTS:
        problems.append(_unknown(scenario, "storefront", scenario.storefront, STOREFRONTS))
    if not problems and MIXES[scenario.shoppers.mix].needs_sale and scenario.flash_sale is None:
        mix = scenario.shoppers.mix
        problems.append(f"scenario {scenario.name}: [shoppers] mix is {mix!r}, but there is no [flash_sale]: add one")
    if problems:
        raise ConfigProblem(problems)
    return MIXES[scenario.shoppers.mix]


def recognise(scenario: Scenario, target: str) -> None:
    """Raises TargetUnrecognised unless the scenario's storefront knows the shop at `target`; records nothing."""
    mix_of(scenario)
    if (reason := why_not_recognised(target)) is not None:
        raise TargetUnrecognised(reason)


def _unknown(scenario: Scenario, key: str, value: str, valid: tuple[str, ...]) -> str:
    return f"scenario {scenario.name}: {key} is {value!r}, but must be one of {', '.join(valid)}"
