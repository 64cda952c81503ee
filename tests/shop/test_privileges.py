"""Once privileges are dropped no program reads the interpreter's folders again: they may be root's alone."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
import requests

from tests.shop.database import ask
from tests.shop.processes import OPS_TOKEN, RUN_AS, SCHEMA, Postgres, Workshop, group, seed_shop
from tests.shop.shopper import ADDRESS, BAD_CARD, Shopper, fact, order_id_of, truth

WATCHED = Path(__file__).with_name("watched.py")


@pytest.fixture
def records(tmp_path: Path) -> Path:
    """Where the watched programs' records are, one per program."""
    return tmp_path


@pytest.fixture
def watched(workshop: Workshop, records: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workshop]:
    """A second workshop for the same shop, whose programs are watched."""
    folder = workshop.folder / f"watched-{uuid4().hex}"
    folder.mkdir()
    if RUN_AS:
        shutil.chown(folder, RUN_AS, group())
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(folder))
    with ExitStack() as stack:
        launcher = ("-P", str(WATCHED), str(records))
        watched = Workshop(folder, workshop.database_url, workshop.images, launcher=launcher)
        stack.callback(watched.close)
        yield watched


def test_a_worker_needs_nothing_more_whatever_it_is_asked(
    watched: Workshop, workshop: Workshop, postgres: Postgres, records: Path
) -> None:
    provider = workshop.payment(journal="of-the-watched")
    worker = watched.web(provider.url, worker="watched")
    for ask_for in (browse, be_hostile, shop_as_a_guest, shop_with_an_account, operate):
        with Shopper(worker.url) as shopper:
            ask_for(shopper)
    end_sessions = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name ~ $1"
    assert ask(postgres.url, end_sessions, "watched") > 0
    with Shopper(worker.url) as shopper:
        shopper.get("/product/1")  # on a lost session
        with missing_table(postgres.url):
            assert shopper.get("/product/91").status_code == 500
        browse(shopper)
        provider.kill()
        assert shopper.pay(shopper.prepare(1)).status_code == 504
    assert worker.stop() == 0
    assert recorded(records, "web") == []


@contextmanager
def missing_table(url: str) -> Iterator[None]:
    """A database that nobody has foreseen."""
    ask(url, f"ALTER TABLE {SCHEMA}.products RENAME TO mislaid")
    try:
        yield
    finally:
        ask(url, f"ALTER TABLE {SCHEMA}.mislaid RENAME TO products")


def browse(shopper: Shopper) -> None:
    pages = ["/", "/category/kopi?sort=price&page=2", "/search?q=kopi", "/search?q=%C3%A9%F0%9F%8D%9C", "/product/1"]
    style = fact(shopper.get("/"), r'href="(/static/[^"]+\.css)"')
    for path in (*pages, style, "/images/products/1-thumb.jpg", "/images/products/1-full.jpg"):
        first = shopper.get(path)
        assert first.status_code == 200, path
        assert shopper.get(path, **{"If-None-Match": first.headers["etag"]}).status_code == 304, path
        assert shopper.session.head(shopper.url + path, timeout=20).status_code == 200, path
    for path in ("/fragment/header", "/cart", "/orders", "/login", "/register", "/healthz", "/readyz"):
        assert shopper.get(path).status_code == 200, path


def be_hostile(shopper: Shopper) -> None:
    for path in ("/no-such-page", "/product/0", "/category/none", "/static/none.css", "/images/products/none"):
        assert shopper.get(path).status_code == 404, path
    assert shopper.get("/search?q=%00&page=-1").status_code == 400
    assert shopper.post("/", {}).status_code == 405
    assert shopper.post("/cart/items", {"product_id": "'", "quantity": "x"}).status_code == 400
    assert shopper.post("/cart/items", {"product_id": 1}, Origin="https://evil.example").status_code == 403
    for body, kind, status in (
        (b"\xff=%ff", "application/x-www-form-urlencoded; charset=utf-7", 400),
        (b"--x\r\n\r\n--x--", "multipart/form-data; boundary=x", 400),
        (b"a=" + b"1" * 100_000, "application/x-www-form-urlencoded", 413),
    ):
        answer = shopper.session.post(
            f"{shopper.url}/cart/items", body, headers={"Content-Type": kind}, allow_redirects=False, timeout=20
        )
        assert answer.status_code == status, body[:20]


def shop_as_a_guest(shopper: Shopper) -> None:
    confirmation = shopper.pay(shopper.prepare(1)).headers["location"]
    assert shopper.get(confirmation).status_code == 200
    assert shopper.post("/cart/lines", {"product_id": 1, "quantity": 0}).status_code == 303
    assert shopper.get("/checkout").status_code == 303


def shop_with_an_account(shopper: Shopper) -> None:
    email = shopper.register()
    assert shopper.get("/account").status_code == 200
    assert shopper.post("/logout", {}).status_code == 303
    assert shopper.get("/account").status_code == 303
    assert shopper.post("/login", {"email": email, "password": "yang-salah"}).status_code == 403
    assert shopper.post("/login", {"email": email, "password": "rahasia-sekali"}).status_code == 303
    assert shopper.add(2, 2).status_code == 303
    assert shopper.get("/checkout").status_code == 200
    assert shopper.post("/checkout", {"recipient": "B"}).status_code == 400
    assert shopper.post("/checkout", dict(ADDRESS)).status_code == 303
    assert shopper.pay(shopper.key(), BAD_CARD).status_code == 402
    order_id_of(shopper.pay(shopper.key()))
    assert shopper.get("/orders").status_code == 200


def operate(shopper: Shopper) -> None:
    assert truth(shopper.url)[-1]["type"] == "end"
    assert shopper.get("/ops/truth").status_code == 401
    assert "shop_requests_total" in shopper.get("/metrics").text
    assert shopper.get("/ops/truth?since=x", Authorization=f"Bearer {OPS_TOKEN}").status_code == 400


def test_the_payment_provider_needs_nothing_more_whatever_it_is_asked(watched: Workshop, records: Path) -> None:
    provider = watched.payment(decline_ratio=0.5)
    charges = f"{provider.url}/charges"

    def charge(body: bytes, key: str) -> int:
        return requests.post(charges, body, headers={"Idempotency-Key": key}, timeout=20).status_code

    keys = [str(uuid4()) for _ in range(12)]
    good = b'{"amount_idr": 25000, "card_token": "tok_approved", "order_id": 1}'
    assert {charge(good, key) for key in keys} == {200}
    assert {requests.get(f"{charges}/{key}", timeout=20).json()["state"] for key in keys} <= {"captured", "declined"}
    assert charge(good.replace(b"25000", b"1"), keys[0]) == 422
    voided = str(uuid4())
    assert requests.post(f"{charges}/{voided}/void", timeout=20).json()["state"] == "voided"
    assert charge(good, voided) == 409
    for body in (b"", b"\xff", b"[]", b'{"amount_idr": -1, "card_token": ""}', b"[" * 4000):
        assert charge(body, str(uuid4())) == 400, body[:10]
    assert charge(good, "no-uuid") == 400
    assert charge(b" " * 100_000, str(uuid4())) == 413
    for path, status in (
        (f"charges/{uuid4()}", 404),
        ("nowhere", 404),
        ("healthz", 200),
        ("readyz", 200),
        ("metrics", 200),
    ):
        assert requests.get(f"{provider.url}/{path}", timeout=20).status_code == status
    assert provider.stop() == 0
    assert recorded(records, "payment") == []


def test_the_seed_needs_nothing_more_to_fill_a_shop(watched: Workshop, records: Path) -> None:
    images = watched.folder / "images"
    shutil.copytree(watched.images, images)
    if RUN_AS:
        shutil.chown(images, RUN_AS, group())
    for picture in images.glob("00*-*.jpg"):  # to be drawn again
        picture.unlink()
    seed_shop(watched.database_url, images, "seed_watched", 100, watched.launcher)
    assert recorded(records, "seed") == []


def recorded(records: Path, program: str) -> list[str]:
    """What a program fetched after it had dropped its privileges."""
    return (records / f"reference_shop.{program}").read_text().splitlines()
