"""A short evening in a shop: shoppers in a hurry who want the same few things, and merchants who change them meanwhile.

What the shoppers were told goes into a ledger, as a run's does, and is held against the shop's books by the audit.
"""

import random
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import requests

from analysis.audit import Audit, audit
from analysis.truth import parse_truth
from loadgen.records import Action, LedgerLine, Outcome
from tests.shop.database import put_on_shelf
from tests.shop.defects.sites import Site
from tests.shop.processes import OPS_TOKEN
from tests.shop.shopper import ADDRESS, BAD_CARD, GOOD_CARD, Shopper, truth

SHOPPER_COUNT = 24
AT_ONCE = 6
WANTED = range(1, 11)
SCARCE, SCARCE_UNITS = 11, 4
COUPON, COUPON_USES = "HEMAT", 3
GIFT_CARD = "KADO"
CHANGES_PER_S = 60.0
_TRIES = 5
_ASK_AGAIN = {"price_changed", "voucher_refused"}


def evening(site: Site, *, quiet_s: float = 0.0) -> Audit:
    """Shop, and audit what became of it, `quiet_s` after the last has left."""
    since = time.time() - 60
    _prepare(site)
    crowd = _Crowd(site)
    with site.back_office(CHANGES_PER_S), ThreadPoolExecutor(AT_ONCE) as threads:
        for visit in [threads.submit(crowd.visit, number) for number in range(SHOPPER_COUNT)]:
            visit.result()
    time.sleep(quiet_s)
    # The audit lets a shelf be shown as it was some seconds ago: all of this is longer ago, it is told.
    site.ask("UPDATE ledger SET at = at - interval '10 s'")
    return audit(crowd.ledger, parse_truth(truth(site.url, since)), since=since)


def _prepare(site: Site) -> None:
    for product_id in WANTED:
        put_on_shelf(site.database_url, product_id, 200)
    put_on_shelf(site.database_url, SCARCE, SCARCE_UNITS)
    offers = {
        "coupons": [{"code": COUPON, "amount_idr": 5_000, "uses": COUPON_USES}],
        "gift_cards": [{"code": GIFT_CARD, "balance_idr": 100_000}],
    }
    headers = {"authorization": f"Bearer {OPS_TOKEN}"}
    assert requests.post(f"{site.url}/ops/offers", json=offers, headers=headers, timeout=10).status_code == 200


class _Crowd:
    def __init__(self, site: Site) -> None:
        self._site = site
        self.ledger: list[LedgerLine] = []

    def visit(self, number: int) -> None:
        rng = random.Random(number)
        wanted = rng.sample(WANTED, rng.choice((1, 1, 2)))
        with Shopper(self._site.workers[number % len(self._site.workers)].url) as shopper:
            items = tuple(self._fill(shopper, number, [*wanted, SCARCE] if number % 3 == 0 else wanted))
            if not items or shopper.post("/checkout", dict(ADDRESS)).status_code != 303:
                return
            if number % 2:
                shopper.post("/checkout/voucher", {"coupon": COUPON, "gift_card": ""})
                shopper.post("/checkout/voucher", {"coupon": COUPON, "gift_card": GIFT_CARD})
            confirmation = self._buy(shopper, number, items, BAD_CARD if number % 8 == 5 else GOOD_CARD)
            if confirmation and number % 8 == 7:
                shopper.post(confirmation.replace("confirmation", "return"), {})

    def _fill(self, shopper: Shopper, number: int, wanted: list[int]) -> Iterator[tuple[int, int]]:
        for product_id in wanted:
            shopper.get(f"/product/{product_id}")
            time.sleep(0.02)
            answer = shopper.add(product_id)
            item = (product_id, 1)
            self._note(number, "add_to_cart", "ok" if answer.status_code == 303 else "fail", items=(item,))
            if answer.status_code == 303:
                yield item

    def _buy(self, shopper: Shopper, number: int, items: tuple[tuple[int, int], ...], card: str) -> str | None:
        """Pay, again if the total is another by then; return the confirmation's address."""
        for _ in range(_TRIES):
            form = shopper.get("/checkout/payment")
            if form.status_code != 200:
                return None
            key, total = _value(form, "idempotency_key"), _value(form, "total_idr")
            time.sleep(0.05)
            fields: dict[str, object] = {"idempotency_key": key, "card_token": card, "total_idr": total}
            answer = shopper.post("/checkout/payment", fields)
            address = answer.headers.get("location", "")
            told = re.fullmatch(r"/orders/(\d+)/confirmation", address)
            order_id = int(told[1]) if told else None
            outcome: Outcome = "ok" if told else "unknown" if answer.status_code >= 500 else "fail"
            self._note(number, "place_order", outcome, key=key, order_id=order_id, amount_idr=int(total), items=items)
            if told:
                return address
            error = re.search(r'data-error="(\w+)"', answer.text)
            if error is None or error[1] not in _ASK_AGAIN:
                return None
        return None

    def _note(
        self,
        session: int,
        action: Action,
        outcome: Outcome,
        *,
        key: str | None = None,
        order_id: int | None = None,
        amount_idr: int | None = None,
        items: tuple[tuple[int, int], ...] = (),
    ) -> None:
        self.ledger.append(LedgerLine(time.time(), action, outcome, session, key, order_id, amount_idr, items))


def _value(form: requests.Response, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', form.text)
    assert found, form.text
    return found[1]
