"""What the shop tells an audit, and whom it tells."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Mapping
from typing import cast

import pytest
import requests

from reference_shop.repository import products
from reference_shop.repository.database import Database
from reference_shop.services.truth import Books
from reference_shop.web.ops import OpsDoors
from tests.shop.database import put_on_shelf
from tests.shop.processes import OPS_TOKEN, SCHEMA, Postgres, Program, Workshop, wait_until
from tests.shop.shopper import ADDRESS, BAD_CARD, Shopper, order_id_of, truth, truths


def test_truth_holds_exactly_the_orders_that_were_placed_since(
    shop: Program, shopper: Shopper, postgres: Postgres
) -> None:
    put_on_shelf(postgres.url, 401, 50)
    since = time.time()
    paid_key = shopper.prepare(401, 2)
    order_id = order_id_of(shopper.pay(paid_key))
    declined_key = shopper.prepare(401, 1)
    shopper.pay(declined_key, BAD_CARD)
    *facts, end = truth(shop.url, since)
    orders = {order["idempotency_key"]: order for order in facts if order["type"] == "order"}
    payments = {payment["idempotency_key"]: payment["state"] for payment in facts if payment["type"] == "payment"}
    assert {key: order["state"] for key, order in orders.items()} == {paid_key: "paid", declined_key: "cancelled"}
    assert payments == {paid_key: "captured", declined_key: "declined"}
    assert orders[paid_key]["order_id"] == order_id
    [stock] = [fact for fact in facts if fact["type"] == "stock" and fact["product_id"] == 401]
    assert [stock[name] for name in ("initial", "on_hand", "reserved", "sold", "returned", "held")] == [
        50,
        48,
        0,
        2,
        0,
        0,
    ]
    assert (end["type"], end["lines"]) == ("end", len(facts))


def test_truth_knows_no_names_addresses_or_cards(shop: Program, shopper: Shopper, postgres: Postgres) -> None:
    put_on_shelf(postgres.url, 402, 5)
    email = shopper.register()
    order_id_of(shopper.pay(shopper.prepare(402)))
    words = " ".join(word for fact in truth(shop.url) for word in fact.values() if isinstance(word, str))
    for secret in (*ADDRESS.values(), email, "Siti Aminah", "tok_approved"):
        assert not re.search(rf"\b{re.escape(secret)}\b", words)


def test_a_product_that_never_moved_is_not_told(shop: Program) -> None:
    assert truths(shop.url, "stock", product_id=499) == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": f"Basic {OPS_TOKEN}"}, 401),
        ({"Authorization": f"Bearer {OPS_TOKEN}", "X-Forwarded-For": "127.0.0.1"}, 404),
    ],
)
def test_truth_is_for_the_operator_on_this_machine_only(shop: Program, headers: dict[str, str], status: int) -> None:
    assert requests.get(f"{shop.url}/ops/truth", headers=headers, timeout=10).status_code == status


def test_since_must_be_an_instant(shop: Program) -> None:
    headers = {"Authorization": f"Bearer {OPS_TOKEN}"}
    for since in ("x", "nan", "-1", "1e300"):
        answer = requests.get(f"{shop.url}/ops/truth?since={since}", headers=headers, timeout=10)
        assert answer.status_code == 400


def test_every_request_is_a_line_of_the_access_log(workshop: Workshop, shop: Program, shopper: Shopper) -> None:
    before = time.time()
    page = shopper.get("/product/403")

    def lines() -> list[dict[str, object]]:
        return [json.loads(line) for line in workshop.access_log(shop).read_text().splitlines()]

    def mine() -> list[dict[str, object]]:
        return [line for line in lines() if line["bytes"] == len(page.content) and line["kind"] == "product"]

    wait_until(mine, "the line in the access log")
    line = mine()[-1]
    assert set(line) == {"at", "kind", "status", "bytes", "duration_s", "request_id", "key"}
    assert line["status"] == 200
    assert isinstance(line["at"], float)
    assert before <= line["at"] <= time.time()
    identifiers = [entry["request_id"] for entry in lines()]
    assert len(identifiers) == len(set(identifiers))


def test_truth_tells_every_change_of_a_price_since(shop: Program, postgres: Postgres) -> None:
    async def change() -> None:
        async with Database(postgres.url, SCHEMA, name="test") as database, database.connection() as connection:
            for price_idr in (12_300, 12_400):
                await products.set_price(connection, 404, price_idr)

    asyncio.run(change())
    since = time.time()
    asyncio.run(change())
    *facts, end = truth(shop.url, since)
    changes = [fact for fact in facts if fact["type"] == "price" and fact["product_id"] == 404]
    assert [set(fact) for fact in changes] == [{"type", "entry_id", "at", "product_id"}] * 2
    assert since <= float(str(changes[0]["at"])) <= float(str(changes[1]["at"])) <= time.time()
    assert int(str(changes[0]["entry_id"])) < int(str(changes[1]["entry_id"]))
    assert end["lines"] == len(facts)


class FullChunks:
    """Books of as many facts as make two chunks of the answer."""

    async def tell(self, since: float) -> AsyncIterator[Mapping[str, object]]:
        for number in range(400):
            yield {"type": "order", "order_id": number}


def test_every_line_of_the_truth_is_json_however_many_there_are() -> None:
    doors = OpsDoors(cast("Database", None), cast("Books", FullChunks()), OPS_TOKEN)

    async def read() -> bytes:
        return b"".join([chunk async for chunk in doors._lines(0.0)])

    lines = asyncio.run(read()).decode().splitlines()
    assert [json.loads(line)["order_id"] for line in lines] == list(range(400))
