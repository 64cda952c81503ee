"""Whatever dies, and when: what was acknowledged is there, and what was left open is settled."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.shop import database
from tests.shop.processes import Postgres, Program, Workshop, listen, seed_shop, wait_until
from tests.shop.shopper import BAD_CARD, Shopper, on_body, order_id_of, truths

# Of their own: a worker of another test would settle these orders with another provider.
SCHEMA = "shop_crashes"
SOON_S = 0.5


@pytest.fixture(scope="module")
def seeded(workshop: Workshop) -> Workshop:
    seed_shop(workshop.database_url, workshop.images, SCHEMA, 100)
    return Workshop(workshop.folder, workshop.database_url, workshop.images, SCHEMA)


@pytest.fixture
def site(seeded: Workshop) -> Iterator[Workshop]:
    yield seeded
    seeded.close()


def stock(site: Workshop, product_id: int, units: int) -> None:
    database.put_on_shelf(site.database_url, product_id, units, SCHEMA)


def left(site: Workshop, product_id: int) -> int:
    return database.on_hand(site.database_url, product_id, SCHEMA)


def state_of(site: Workshop, key: str) -> object:
    query = "SELECT state FROM orders WHERE idempotency_key::text = $1"
    return database.ask(site.database_url, query, key, schema=SCHEMA)


def fall_due(site: Workshop, keys: list[str]) -> None:
    """Have open orders reconciled from now on, and not by the worker that left them: each try at a provider that is not
    there is one failure more for its circuit breaker."""
    query = "UPDATE orders SET next_check_at = now() WHERE idempotency_key::text = ANY($1)"
    database.ask(site.database_url, query, keys, schema=SCHEMA)


def payments_of(worker: Program, key: str) -> list[object]:
    return [payment["state"] for payment in truths(worker.url, "payment", idempotency_key=key)]


def place_and_kill(site: Workshop, worker: Program, product_id: int, card: str, quantity: int = 1) -> str:
    """Kill the worker while the provider has the charge; return the order's key."""
    with Shopper(worker.url) as shopper, ThreadPoolExecutor(1) as paying:
        key = shopper.prepare(product_id, quantity)
        payment = paying.submit(shopper.pay, key, card)
        wait_until(lambda: state_of(site, key) == "pending", "placing the order")
        worker.kill()
        with pytest.raises(requests.ConnectionError):
            payment.result()
    return key


def nowhere() -> str:
    """Return an address at which nobody listens."""
    with listen() as nobody:
        return f"http://127.0.0.1:{nobody.getsockname()[1]}"


@pytest.mark.parametrize(
    ("card", "state", "payments", "remaining"),
    [("tok_approved", "paid", ["captured"], 2), (BAD_CARD, "cancelled", ["declined"], 5)],
)
def test_a_worker_killed_during_the_charge_leaves_an_order_that_its_sibling_settles(
    site: Workshop, card: str, state: str, payments: list[object], remaining: int
) -> None:
    provider = site.payment(latency_ms=800)
    worker = site.web(provider.url, pending_after_s=SOON_S)
    stock(site, 1, 5)
    key = place_and_kill(site, worker, 1, card, 3)
    sibling = site.web(provider.url)
    wait_until(lambda: state_of(site, key) == state, "settling the order")
    assert payments_of(sibling, key) == payments
    assert left(site, 1) == remaining


def test_a_worker_killed_before_the_charge_leaves_nothing_sold_and_nothing_charged(site: Workshop) -> None:
    provider = site.payment(journal="frozen")
    worker = site.web(provider.url, pending_after_s=SOON_S)
    stock(site, 2, 5)
    # A frozen provider: the charge is on its way, and is never read.
    os.kill(provider.process.pid, signal.SIGSTOP)
    key = place_and_kill(site, worker, 2, "tok_approved")
    provider.kill()
    successor = site.payment(journal="frozen")
    sibling = site.web(successor.url)
    wait_until(lambda: state_of(site, key) == "cancelled", "settling the order")
    assert payments_of(sibling, key) == []
    assert left(site, 2) == 5
    late = requests.post(
        f"{successor.url}/charges",
        json={"amount_idr": 1000, "card_token": "tok_approved", "order_id": 1},
        headers={"Idempotency-Key": key},
        timeout=5,
    )
    assert (late.status_code, late.json()["state"]) == (409, "voided")


def test_an_unreachable_provider_leaves_the_order_pending_and_says_so(site: Workshop) -> None:
    worker = site.web(nowhere(), pending_after_s=3600)
    stock(site, 3, 5)
    with Shopper(worker.url) as shopper:
        key = shopper.prepare(3)
        answer = shopper.pay(key)
        assert (answer.status_code, on_body(answer, "error")) == (504, "payment_unresolved")
        assert state_of(site, key) == "pending"
        assert left(site, 3) == 4
        form = shopper.get("/checkout/payment")
        assert form.status_code == 303
        assert on_body(shopper.get(form.headers["location"]), "order-state") == "pending"


def test_two_workers_settle_a_pending_order_once(site: Workshop) -> None:
    broken = site.web(nowhere(), pending_after_s=3600)
    stock(site, 4, 5)
    keys = []
    for _ in range(3):
        with Shopper(broken.url) as shopper:
            keys.append(shopper.prepare(4))
            assert shopper.pay(keys[-1]).status_code == 504
    broken.kill()
    provider = site.payment(journal="twice")
    for _ in range(2):
        site.web(provider.url)
    fall_due(site, keys)
    wait_until(lambda: [state_of(site, key) for key in keys] == ["cancelled"] * 3, "settling the orders")
    assert left(site, 4) == 5


def test_an_acknowledged_order_survives_the_crash_of_the_database(site: Workshop, postgres: Postgres) -> None:
    worker = site.web(site.payment(journal="crash").url)
    stock(site, 5, 99)
    with Shopper(worker.url) as shopper:
        acknowledged = {order_id_of(shopper.pay(shopper.prepare(5))) for _ in range(5)}
        postgres.crash()
        assert shopper.get("/product/5").status_code == 503
        assert shopper.get("/readyz").status_code == 503
        assert shopper.get("/healthz").status_code == 200
        postgres.start()
        wait_until(lambda: shopper.get("/readyz").status_code == 200, "reconnecting")
    assert acknowledged <= {order["order_id"] for order in truths(worker.url, "order", state="paid")}
    assert left(site, 5) == 94


def test_a_worker_that_is_asked_to_stop_finishes_what_is_in_flight(site: Workshop) -> None:
    worker = site.web(site.payment(latency_ms=700, journal="graceful").url)
    stock(site, 6, 5)
    with Shopper(worker.url) as shopper, ThreadPoolExecutor(1) as paying:
        key = shopper.prepare(6)
        payment = paying.submit(shopper.pay, key)
        wait_until(lambda: state_of(site, key) == "pending", "placing the order")
        assert worker.stop() == 0
        order_id_of(payment.result())
    assert '"kind":"payment","status":303' in site.access_log(worker).read_text()


def test_an_order_that_cannot_be_settled_keeps_no_other_waiting(site: Workshop) -> None:
    broken = site.web(nowhere(), pending_after_s=3600)
    keys = []
    for product_id in (8, 9, 10):
        stock(site, product_id, 5)
        with Shopper(broken.url) as shopper:
            keys.append(shopper.prepare(product_id))
            assert shopper.pay(keys[-1]).status_code == 504
    broken.kill()
    # Nothing is reserved of the first one's product any more: giving it back breaks a rule of the table.
    stock(site, 8, 5)
    sibling = site.web(site.payment(journal="sick").url)
    fall_due(site, keys)
    wait_until(lambda: [state_of(site, key) for key in keys[1:]] == ["cancelled"] * 2, "settling the others")
    assert state_of(site, keys[0]) == "pending"
    assert "was not settled" in sibling.log.read_text()


def test_a_return_that_met_a_silent_provider_is_brought_to_its_end(site: Workshop) -> None:
    provider = site.payment(journal="returns")
    worker = site.web(provider.url, pending_after_s=SOON_S)
    stock(site, 7, 5)
    with Shopper(worker.url) as shopper:
        key = shopper.prepare(7)
        order_id = order_id_of(shopper.pay(key))
        os.kill(provider.process.pid, signal.SIGSTOP)
        assert shopper.post(f"/orders/{order_id}/return", {}).status_code == 303
        assert (state_of(site, key), left(site, 7)) == ("returning", 4)
        os.kill(provider.process.pid, signal.SIGCONT)
        wait_until(lambda: state_of(site, key) == "returned", "the return")
    assert payments_of(worker, key) == ["refunded"]
    assert left(site, 7) == 5


def test_a_schema_of_somebody_else_is_left_alone(workshop: Workshop) -> None:
    database.ask(workshop.database_url, "CREATE SCHEMA theirs")
    with pytest.raises(AssertionError, match="not the reference shop's"):
        seed_shop(workshop.database_url, workshop.images, "theirs")
    assert database.ask(workshop.database_url, "SELECT to_regclass('theirs.products') IS NULL")
