"""What an operator would look at to find each of the defects that no audit sees; True for a shop that has it."""

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psutil
import requests

from reference_shop.repository.database import MAX_CONNECTIONS
from tests.shop.database import ask, put_on_shelf
from tests.shop.defects.sites import Site
from tests.shop.shopper import ADDRESS, GOOD_CARD, Shopper, on_body

FEW_PLACES = 2
LISTS = ("/", "/category/tablet", "/category/tablet?sort=price", "/search?q=kopi")


def reads_cards_one_by_one(site: Site) -> bool:
    """The database logs what it is asked for: is it one statement a page?"""
    before = site.database_log.stat().st_size
    with Shopper(site.url) as shopper:
        assert {shopper.get(path).status_code for path in LISTS} == {200}
    _, *statements = site.database_log.read_bytes()[before:].decode().split("LOG:  execute")
    return sum("FROM products p" in statement for statement in statements) > 2 * len(LISTS)


def deadlocks(site: Site) -> bool:
    """A crowd that wants the same three products: does every order go through?"""
    wanted = (1, 2, 3)
    for product_id in wanted:
        put_on_shelf(site.database_url, product_id, 500)

    def buy(_number: int) -> int:
        with Shopper(site.url) as shopper:
            for product_id in wanted:
                shopper.add(product_id)
            shopper.post("/checkout", dict(ADDRESS))
            return shopper.pay(shopper.key()).status_code

    with ThreadPoolExecutor(8) as crowd:
        return 500 in set(crowd.map(buy, range(16)))


def runs_out_of_connections(site: Site) -> bool:
    """As many refusals as there are connections: does the next request get one?"""
    put_on_shelf(site.database_url, 1, 1)
    with Shopper(site.url) as shopper:
        assert {shopper.add(1, 2).status_code for _ in range(MAX_CONNECTIONS)} == {409}
    try:
        return requests.get(f"{site.url}/readyz", timeout=1.5).status_code != 200
    except requests.ReadTimeout:
        return True


def grows_with_every_page(site: Site) -> bool:
    """A worker has drawn some megabytes of pages: are they still in its memory?"""
    worker = psutil.Process(site.workers[0].process.pid)
    with Shopper(site.url) as shopper:
        for _ in range(60):
            shopper.get(LISTS[1])
        before = worker.memory_info().rss
        drawn = sum(len(shopper.get(LISTS[1]).content) for _ in range(120))
        return worker.memory_info().rss - before > drawn / 2


def stands_still_for_carts(site: Site) -> bool:
    """Somebody fills a cart: does everybody else wait each time?"""
    put_on_shelf(site.database_url, 1, 50)
    with Shopper(site.url) as shopper:
        return min(_longest_wait_s(site, shopper) for _ in range(4)) > 0.15


def _longest_wait_s(site: Site, buyer: Shopper) -> float:
    with _asking_all_the_time(site) as waits_s:
        assert buyer.add(1).status_code == 303
    return max(waits_s)


@contextmanager
def _asking_all_the_time(site: Site) -> Iterator[list[float]]:
    waits_s: list[float] = []
    over = threading.Event()

    def ask() -> None:
        with requests.Session() as session:
            while not over.is_set():
                started = time.perf_counter()
                session.get(f"{site.url}/healthz", timeout=10)
                waits_s.append(time.perf_counter() - started)

    asking = threading.Thread(target=ask)
    asking.start()
    time.sleep(0.05)
    try:
        yield waits_s
    finally:
        time.sleep(0.05)
        over.set()
        asking.join()


def pauses_every_fifty_pages(site: Site) -> bool:
    """Three times fifty pages: is it always the same one of fifty that takes long?"""
    with Shopper(site.url) as shopper:
        durations_s = [shopper.get("/login").elapsed.total_seconds() for _ in range(150)]
    return max(min(durations_s[first::50]) for first in range(50)) > 0.08


def waits_for_a_silent_provider(site: Site) -> bool:
    """The provider says nothing any more: is a shopper told so after some seconds?"""
    put_on_shelf(site.database_url, 1, 5)
    with Shopper(site.url) as shopper:
        key = shopper.prepare(1)
        os.kill(site.provider.process.pid, signal.SIGSTOP)
        return _pay_within(4.2, shopper, key) is None


def asks_again_without_end(site: Site) -> bool:
    """The provider hangs up on whoever calls: how often is it called for one payment?"""
    put_on_shelf(site.database_url, 1, 5)
    with Shopper(site.url) as shopper:
        key = shopper.prepare(1)
        site.provider.kill()
        with _hanging_up(int(site.provider.url.rpartition(":")[2])) as calls:
            _pay_within(1.2, shopper, key)
    return len(calls) > 2 * 3 * 2  # a charge and a question, three attempts each, and as many of somebody else's


def _pay_within(limit_s: float, shopper: Shopper, key: str) -> int | None:
    """The answer's status, None when the shopper lost patience first."""
    fields = {"idempotency_key": key, "card_token": GOOD_CARD}
    try:
        return shopper.session.post(
            f"{shopper.url}/checkout/payment", fields, allow_redirects=False, timeout=limit_s
        ).status_code
    except requests.ReadTimeout:
        return None


@contextmanager
def _hanging_up(port: int) -> Iterator[list[float]]:
    """A server that closes every connection at once, and when it did."""
    calls: list[float] = []

    def hang_up() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            calls.append(time.monotonic())
            connection.close()

    with socket.create_server(("127.0.0.1", port), reuse_port=False) as listener:
        threading.Thread(target=hang_up, daemon=True).start()
        yield calls
        listener.shutdown(socket.SHUT_RDWR)


def turns_nobody_away(site: Site) -> bool:
    """Twelve times as many come at once as there are places: is everybody let in?"""

    def look(_number: int) -> int:
        return requests.get(f"{site.url}/product/1", timeout=20).status_code

    with ThreadPoolExecutor(12 * FEW_PLACES) as crowd:
        return set(crowd.map(look, range(12 * FEW_PLACES))) == {200}


def reads_the_whole_catalogue(url: str) -> bool:
    """Does the database know a shorter way to the cheapest of a category, and to what holds a word?"""
    cheapest = "SELECT * FROM products WHERE category_id = 1 ORDER BY price_idr, product_id LIMIT 24"
    found = "SELECT product_id FROM products WHERE document @@ websearch_to_tsquery('simple', 'kopi')"
    only_if_it_must = f"{url}?enable_seqscan=off"
    plans = [ask(only_if_it_must, f"EXPLAIN (FORMAT JSON) {query}") for query in (cheapest, found)]
    return all('"Node Type": "Seq Scan"' in plan for plan in plans)


def shows_somebody_elses_cart(site: Site) -> bool:
    """Two shoppers come through an edge, one after the other: does the second see what the first put into the cart?"""
    put_on_shelf(site.database_url, 1, 5)
    put_on_shelf(site.database_url, 2, 5)
    with site.edge() as url, Shopper(url) as first, Shopper(url) as second:
        for shopper, product_id in ((first, 1), (second, 2)):
            assert shopper.add(product_id).status_code == 303
        assert 'data-product-id="1"' in first.get("/cart").text
        seen = second.get("/cart")
        assert on_body(seen, "page-kind") == "cart"
        return 'data-product-id="1"' in seen.text
