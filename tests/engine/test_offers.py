"""What a scenario offers is put up at the shop before any traffic, stands in the run's history, and tells no code."""

import json
from pathlib import Path

import pytest

from loadgen.config import Scenario, resolve
from loadgen.errors import EnvironmentProblem, StackMissing
from loadgen.manifest import Manifest
from loadgen.offering import check_offers, make_offers
from loadgen.offers import gift_card_codes
from loadgen.stack import Stack
from tests.engine.dummy_stack import DummyStack
from tests.engine.operators_door import MADE, TOKEN, operators_door
from tests.engine.scripted_shop import ScriptedShop, eventually
from tests.engine.test_runs import (
    LIMIT_S,
    Locust,
    Web,
    events,
    free_port,
    locust,
    only_run,
    scenario,
    wait_for_events,
)

__all__ = ["locust"]

SALE = {"product_id": 3, "units": 5, "limit_per_customer": 1, "starts_at_s": 1.0, "reservation_s": 5.0}
OFFERS = {
    "coupons": [{"code": "PAYDAY", "amount_idr": 25000, "uses": 5}],
    "gift_cards": [{"balance_idr": 100000, "count": 2}],
}
TABLES = (
    "[flash_sale]\nproduct_id = 3\nunits = 5\nstarts_at_s = 1.0\nreservation_s = 5.0\n"
    "[offers]\ncoupons = [{ code = 'PAYDAY', amount_idr = 25000, uses = 5 }]\n"
    "gift_cards = [{ balance_idr = 100000, count = 2 }]\n"
)


def planned(**tables: object) -> Scenario:
    return resolve({"load": {"duration": "60s", "drain": "10s", "seed": 7}, **tables}, "mine", {})


def stack(ops_url: str | None, token: str | None = TOKEN) -> Stack:
    return Stack(Path("stack.json"), "ready", "http://127.0.0.1:1", "nginx", ops_url, token, {}, (), (), None, None)


class Now:
    """Seconds since the epoch, which a request moves on."""

    def __init__(self, *request_s: float) -> None:
        self.at = 1_795_000_000.0
        self._request_s = list(request_s)

    def __call__(self) -> float:
        return self.at

    def request(self) -> None:
        self.at += self._request_s.pop(0)


def test_everything_is_put_on_offer_with_instants_since_the_epoch() -> None:
    now = Now(0.2)
    mine = planned(flash_sale={**SALE, "price_idr": 99000, "ends_at_s": 40}, offers=OFFERS)
    with operators_door(before=now.request) as door:
        made = make_offers(mine, stack(door.ops_url), now=now)
    started_at = 1_795_000_001.0
    first, second = gift_card_codes(mine.offers, 7)
    assert made.started_at == started_at
    assert door.posted == [
        (
            f"Bearer {TOKEN}",
            {
                "flash_sale": {
                    "product_id": 3,
                    "units": 5,
                    "limit_per_customer": 1,
                    "price_idr": 99000,
                    "starts_at": started_at + 1.0,
                    "ends_at": started_at + 40.0,
                    "reservation_s": 5.0,
                },
                "coupons": [{"code": "PAYDAY", "amount_idr": 25000, "uses": 5}],
                "gift_cards": [{"code": first, "balance_idr": 100000}, {"code": second, "balance_idr": 100000}],
            },
        )
    ]


def test_a_sale_without_an_end_lasts_as_long_as_the_run() -> None:
    now = Now(0.0)
    with operators_door(before=now.request) as door:
        make_offers(planned(flash_sale=SALE), stack(door.ops_url), now=now)
    assert door.posted[0][1]["flash_sale"]["ends_at"] == 1_795_000_001.0 + 70.0


def test_coupons_alone_are_no_sale() -> None:
    now = Now(0.0)
    with operators_door(before=now.request, answer={"flash_sale": None}) as door:
        made = make_offers(planned(offers=OFFERS), stack(door.ops_url), now=now)
    assert "flash_sale" not in door.posted[0][1]
    assert made.detail == {"coupon_count": 1, "gift_card_count": 2}


def test_what_history_is_told_names_the_sale_and_no_code() -> None:
    now = Now(0.0)
    with operators_door(before=now.request) as door:
        made = make_offers(planned(flash_sale=SALE, offers=OFFERS), stack(door.ops_url), now=now)
    sale = door.posted[0][1]["flash_sale"]
    assert made.detail == {**sale, "sale_id": 9, "price_idr": 99000, "coupon_count": 1, "gift_card_count": 2}
    assert "KADO" not in json.dumps(made.detail)
    assert "PAYDAY" not in json.dumps(made.detail)


def test_a_slow_shop_is_told_again_with_a_later_start() -> None:
    now = Now(1.5, 3.0)
    with operators_door(before=now.request) as door:
        made = make_offers(planned(flash_sale=SALE), stack(door.ops_url), lead_s=1.0, now=now)
    first, second = (posted["flash_sale"]["starts_at"] - 1.0 for _, posted in door.posted)
    assert (first, second) == (1_795_000_002.0, 1_795_000_001.5 + 6.0)
    assert made.started_at == second
    assert now.at + 1.0 <= made.started_at


def test_a_shop_that_is_always_too_slow_is_given_up() -> None:
    now = Now(2.0, 7.0, 30.0)
    with operators_door(before=now.request) as door, pytest.raises(EnvironmentProblem, match="longer than 15 s"):
        make_offers(planned(flash_sale=SALE), stack(door.ops_url), now=now)
    assert len(door.posted) == 3


@pytest.mark.parametrize(
    ("status", "answer", "sentence"),
    [
        ("404 Not Found", {}, "it answered 404, as for a shop without a product 3 or without offers"),
        ("400 Bad Request", {"error": "units is 0"}, r"it answered 400 \(units is 0\)"),
        ("401 Unauthorized", "no", "it answered 401"),
    ],
)
def test_a_shop_that_refuses_says_why(status: str, answer: object, sentence: str) -> None:
    with (
        operators_door(status=status, answer=answer) as door,
        pytest.raises(EnvironmentProblem, match=f"/ops/offers did not take the scenario's offers: {sentence}$"),
    ):
        make_offers(planned(flash_sale=SALE), stack(door.ops_url))


def test_a_shop_that_is_gone_takes_no_offers() -> None:
    with pytest.raises(EnvironmentProblem, match=r"offers were not made at http://127\.0\.0\.1:1/ops/offers"):
        make_offers(planned(flash_sale=SALE), stack("http://127.0.0.1:1/ops/truth"))


@pytest.mark.parametrize("known", [None, stack(None), stack("http://127.0.0.1:1/ops/truth", None)])
def test_offers_need_a_stack_that_takes_them(known: Stack | None) -> None:
    with pytest.raises(StackMissing, match="the scenario plans a flash sale, but no stack with an ops_url is known"):
        check_offers(planned(flash_sale=SALE), known)
    with pytest.raises(StackMissing, match="the scenario plans coupons or gift cards, but"):
        check_offers(planned(offers=OFFERS), known)
    check_offers(planned(), known)


def test_a_run_begins_when_its_offers_are_made(locust: Locust, shop: ScriptedShop) -> None:
    seen: list[int] = []
    with operators_door(before=lambda: seen.append(shop.count)) as door:
        dummy = DummyStack(locust.folder, shop.url, ops_url=door.ops_url, ops_token=TOKEN)
        try:
            arguments = ["--scenario", scenario(locust.folder, more=TABLES), "--stack", str(dummy.path)]
            assert locust.run(*arguments, "--processes", "2") == 0, locust.stderr
        finally:
            dummy.end()
    run = only_run(locust.folder)
    started_at = Manifest.read(run.manifest).started_at
    assert seen == [0]  # nobody came before
    [made] = events(run, "offers_made")
    sale = door.posted[0][1]["flash_sale"]
    assert sale["starts_at"] == made.detail["starts_at"] == pytest.approx(started_at + 1.0, abs=1e-6)
    assert made.detail["product_id"] == MADE["flash_sale"]["product_id"]
    codes = [card["code"] for card in door.posted[0][1]["gift_cards"]]
    assert len(codes) == 2
    texts = [path.read_text(errors="replace") for path in run.path.iterdir() if path.suffix != ".gz"]
    assert not any(code in text for code in codes for text in texts)
    assert TOKEN not in "".join(texts)


@pytest.mark.parametrize(
    ("with_door", "sentence"),
    [(False, "no stack with an ops_url is known"), (True, "it answered 404, as for a shop without a product 3")],
)
def test_a_shop_that_takes_no_offers_gets_no_traffic(
    locust: Locust, shop: ScriptedShop, with_door: bool, sentence: str
) -> None:
    with operators_door(status="404 Not Found") as door:
        more = {"ops_url": door.ops_url, "ops_token": TOKEN} if with_door else {}
        dummy = DummyStack(locust.folder, shop.url, **more)
        try:
            arguments = ["--scenario", scenario(locust.folder, more=TABLES), "--stack", str(dummy.path)]
            assert locust.run(*arguments) == 4
        finally:
            dummy.end()
    [line] = [line for line in locust.stderr.splitlines() if line.startswith("lonjak: ")]
    assert sentence in line
    assert shop.count == 0
    assert list(locust.folder.glob("runs")) == []


def test_every_run_of_the_web_ui_makes_its_offers_anew(locust: Locust, shop: ScriptedShop) -> None:
    with operators_door() as door:
        dummy = DummyStack(locust.folder, shop.url, ops_url=door.ops_url, ops_token=TOKEN)
        try:
            port = free_port()
            arguments = ["--scenario", scenario(locust.folder, 30.0, TABLES), "--stack", str(dummy.path)]
            locust.start(*arguments, "--web-port", str(port), headless=False)
            web = Web(port)
            eventually(web.listens, LIMIT_S)
            form = {"user_count": "50", "spawn_rate": "1", "host": shop.url}
            eventually(lambda: web.post("/swarm", form)[1]["success"] and door.posted, LIMIT_S)
            wait_for_events(locust, "offers_made")
            web.post("/stop")
            eventually(lambda: web.post("/swarm", form)[1]["success"] and len(door.posted) == 2, LIMIT_S)
        finally:
            dummy.end()
