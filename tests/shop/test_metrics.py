"""What `/metrics` tells: exactly what happened, of all workers, to a program on this machine alone."""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from reference_shop.instruments import FOLDER_VARIABLE, Figures
from reference_shop.metrics import status_class
from reference_shop.payment.observed import request_kind
from reference_shop.web.kinds import page_kind
from tests.shop.database import ask, put_on_shelf
from tests.shop.processes import RUN_AS, Postgres, Program, Workshop, group, wait_until
from tests.shop.shopper import BAD_CARD, Shopper, order_id_of

EMPTY, WANTED = 411, 412


class Told:
    """A page of metrics, read by prometheus_client's own parser."""

    def __init__(self, text: str) -> None:
        self.samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
        assert self.samples

    def value(self, name: str, **labels: str) -> float:
        """The one sample with this name and these labels, no others; 0 if there is none."""
        found = [sample.value for sample in self.samples if sample.name == name and sample.labels == labels]
        assert len(found) <= 1
        return found[0] if found else 0


def told(program: Program) -> Told:
    answer = requests.get(f"{program.url}/metrics", timeout=10)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return Told(answer.text)


@pytest.fixture
def figures() -> Figures:
    figures = Figures("trial")
    figures.level("waiting", "Who waits")
    figures.counted("doors", "Doors that closed", "colour", known=("red", "green"))
    return figures


def test_what_is_known_beforehand_is_told_as_nought_before_it_happens(figures: Figures) -> None:
    figures.open()
    page = asyncio.run(figures.text()).decode()
    assert 'trial_doors_total{colour="green"} 0.0' in page.splitlines()
    assert "trial_waiting 0.0" in page.splitlines()


def test_an_amount_is_added_and_a_level_goes_both_ways(figures: Figures) -> None:
    coins, places = figures.counted("coins", "Coins"), figures.level("places", "Places", "room")
    coins.add(amount=250)
    coins.add()
    places.rise("north")
    places.rise("north")
    places.fall("north")
    page = Told(asyncio.run(figures.text()).decode())
    assert page.value("trial_coins_total") == 251
    assert page.value("trial_places", room="north") == 1


def test_what_is_followed_is_told_as_it_stands_when_it_is_asked(figures: Figures) -> None:
    crowd: list[str] = []
    figures.level("crowd", "Who is there").follow(lambda: len(crowd))
    figures.counted("arrivals", "Who came", "gate").follow(lambda: len(crowd), "west")
    for size in (2, 2, 5):
        crowd[:] = ["somebody"] * size
        page = Told(asyncio.run(figures.text()).decode())
        assert page.value("trial_crowd") == size
        assert page.value("trial_arrivals_total", gate="west") == size


def test_a_duration_is_counted_in_its_class_even_if_its_block_fails(figures: Figures) -> None:
    timed = figures.timed("pause_seconds", "Pauses", "why", bounds_s=(0.1, 60.0))
    timed.observe(0.1, "tea")
    timed.observe(0.2, "tea")
    with pytest.raises(ValueError, match="broken"), timed.time("repair"):
        raise ValueError("broken")
    page = Told(asyncio.run(figures.text()).decode())
    assert page.value("trial_pause_seconds_bucket", why="tea", le="0.1") == 1
    assert page.value("trial_pause_seconds_bucket", why="tea", le="60.0") == 2
    assert page.value("trial_pause_seconds_sum", why="tea") == pytest.approx(0.3)
    assert page.value("trial_pause_seconds_count", why="repair") == 1


@pytest.mark.parametrize(
    ("status", "name"), [(0, "none"), (101, "1xx"), (200, "2xx"), (304, "3xx"), (404, "4xx"), (503, "5xx")]
)
def test_a_status_belongs_to_the_class_of_its_first_digit(status: int, name: str) -> None:
    assert status_class(status) == name


@pytest.mark.parametrize(
    ("request_line", "kind"),
    [
        ("POST /charges", "charge"),
        ("GET /charges", "books"),
        ("GET /charges/a-key", "question"),
        ("POST /charges/a-key/void", "void"),
        ("POST /charges/a-key/refund", "refund"),
        ("POST /charges/a-key/steal", "other"),
        ("GET /readyz", "ops"),
        ("GET /metrics", "ops"),
        ("GET /nowhere", "other"),
    ],
)
def test_the_provider_tells_its_requests_apart_by_what_is_asked(request_line: str, kind: str) -> None:
    assert request_kind(*request_line.split()) == kind


def test_the_waiting_room_and_the_metrics_have_page_kinds() -> None:
    assert page_kind("/waiting-room") == "waiting_room"
    assert page_kind("/metrics") == "ops"


@pytest.fixture(scope="module")
def measured_provider(workshop: Workshop) -> Program:
    return workshop.payment(journal="measured")


@pytest.fixture
def worker(workshop: Workshop, measured_provider: Program) -> Program:
    return workshop.web(measured_provider.url)


def test_requests_are_told_by_kind_and_class_of_status(worker: Program) -> None:
    with Shopper(worker.url) as shopper:
        for _ in range(3):
            assert shopper.get("/product/1").status_code == 200
        assert shopper.get("/product/0").status_code == 404
    page = told(worker)
    assert page.value("shop_requests_total", kind="product", status="2xx") == 3
    assert page.value("shop_requests_total", kind="product", status="4xx") == 1
    assert page.value("shop_request_duration_seconds_count", kind="product") == 4
    assert 0 < page.value("shop_request_duration_seconds_sum", kind="product") < 40
    assert page.value("shop_requests_in_progress") == 1  # the one that asks
    assert page.value("shop_database_connection_wait_seconds_count") >= 3
    assert page.value("shop_database_connections_in_use") == 0


def test_a_refusal_for_lack_of_stock_is_counted(worker: Program, postgres: Postgres) -> None:
    put_on_shelf(postgres.url, EMPTY, 0)
    with Shopper(worker.url) as shopper:
        assert shopper.add(EMPTY).status_code == 409
    page = told(worker)
    assert page.value("shop_stock_outs_total") == 1
    assert page.value("shop_carts_opened_total") == 0


def test_an_order_is_told_with_what_it_brought_by_shop_and_provider(
    worker: Program, measured_provider: Program, postgres: Postgres
) -> None:
    put_on_shelf(postgres.url, WANTED, 10)
    before = told(measured_provider)
    with Shopper(worker.url) as shopper:
        order_id = order_id_of(shopper.pay(shopper.prepare(WANTED, 2)))
        assert shopper.pay(shopper.prepare(WANTED, 1), BAD_CARD).status_code == 402
    total_idr = ask(postgres.url, "SELECT total_idr FROM orders WHERE order_id = $1", order_id)
    page, after = told(worker), told(measured_provider)
    assert page.value("shop_revenue_idr_total") == total_idr
    assert page.value("shop_units_sold_total") == 2
    assert page.value("shop_carts_opened_total") == 1
    assert [page.value("shop_orders_total", state=state) for state in ("pending", "paid", "cancelled")] == [2, 1, 1]
    for outcome in ("captured", "declined"):
        labels = {"operation": "charge", "outcome": outcome}
        assert page.value("shop_payment_call_duration_seconds_count", **labels) == 1
        grown = [each.value("payment_charges_total", state=outcome) for each in (before, after)]
        assert grown[1] - grown[0] == 1
    assert page.value("shop_lock_wait_seconds_count", lock="stock") >= 2
    assert after.value("payment_captured_idr_total") - before.value("payment_captured_idr_total") == total_idr
    assert after.value("payment_requests_total", kind="charge", status="2xx") >= 2
    assert after.value("payment_journal_flush_duration_seconds_count") >= 2


def test_the_circuit_breaker_of_a_new_worker_is_closed(worker: Program) -> None:
    page = told(worker)
    states = ("closed", "half_open", "open")
    assert [page.value("shop_breaker_state", state=state) for state in states] == [1, 0, 0]


def test_a_log_in_is_counted_and_a_wrong_password_is_not(worker: Program) -> None:
    with Shopper(worker.url) as shopper:
        email = shopper.register()
        assert shopper.post("/login", {"email": email, "password": "yang-salah"}).status_code == 403
        assert shopper.post("/login", {"email": email, "password": "rahasia-sekali"}).status_code == 303
    assert told(worker).value("shop_logins_total") == 1


def test_metrics_are_for_programs_on_this_machine_that_ask_without_an_edge(
    shop: Program, measured_provider: Program
) -> None:
    for program in (shop, measured_provider):
        answer = requests.get(f"{program.url}/metrics", headers={"X-Forwarded-For": "127.0.0.1"}, timeout=10)
        assert answer.status_code == 404
        assert "_total" not in answer.text


@pytest.fixture
def shared(shop_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder in which the programs that are started now keep their numbers together."""
    folder = shop_folder / "metrics"
    folder.mkdir()
    if RUN_AS:
        shutil.chown(folder, RUN_AS, group())
    monkeypatch.setenv(FOLDER_VARIABLE, str(folder))
    yield folder
    shutil.rmtree(folder)


def test_whichever_worker_is_asked_tells_what_all_of_them_did(
    workshop: Workshop, provider: Program, shared: Path
) -> None:
    first, second = workshop.web(provider.url), workshop.web(provider.url)
    for worker, page_count in ((first, 2), (second, 3)):
        with Shopper(worker.url) as shopper:
            for _ in range(page_count):
                assert shopper.get("/product/1").status_code == 200

    def sums() -> list[float]:
        return [told(worker).value("shop_requests_total", kind="product", status="2xx") for worker in (first, second)]

    wait_until(lambda: sums() == [5, 5], "the sum of two workers")
    second.kill()
    third = workshop.web(provider.url)
    assert told(third).value("shop_requests_total", kind="product", status="2xx") == 5
    assert told(third).value("shop_request_duration_seconds_count", kind="product") == 5
    if RUN_AS:
        assert {file.owner() for file in shared.iterdir()} == {RUN_AS}


_PROCESS = """
import asyncio, os, sys
from reference_shop.instruments import Figures
figures, other = Figures("trial"), Figures("other")
waiting, doors = figures.level("waiting", "Who waits"), figures.counted("doors", "Doors that closed")
figures.open(), other.counted("noise", "Not ours").add()
waiting.set(float(sys.argv[1])), doors.add()
print(asyncio.run(figures.text()).decode(), flush=True)
os._exit(0)
"""


def test_of_a_process_that_died_the_counts_stay_and_the_levels_go(shared: Path) -> None:
    def page_of_a_process(level: int) -> str:
        command = [sys.executable, "-c", _PROCESS, str(level)]
        return subprocess.run(command, check=True, capture_output=True, text=True, env=dict(os.environ)).stdout

    page_of_a_process(7)
    assert list(shared.glob("gauge_*"))
    page = page_of_a_process(2)
    assert Told(page).value("trial_doors_total") == 2
    assert Told(page).value("trial_waiting") == 2
    assert "other_noise" not in page
