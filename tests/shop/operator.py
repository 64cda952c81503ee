"""What an operator does in tests: puts things on offer, and adds up the books."""

import time

import requests

from tests.shop.processes import OPS_TOKEN
from tests.shop.shopper import truth

GUARD = {"authorization": f"Bearer {OPS_TOKEN}"}


def offer(url: str, document: object) -> requests.Response:
    """Post offers as they are."""
    return requests.post(f"{url}/ops/offers", json=document, headers=GUARD, timeout=10)


def begin_sale(url: str, product_id: int, units: int, **more: object) -> int:
    """Begin a flash sale, at once unless told otherwise; its id. Returns when the worker knows of it."""
    now = time.time()
    sale = {
        "product_id": product_id,
        "units": units,
        "limit_per_customer": 1,
        "starts_at": now - 1,
        "ends_at": now + 600,
        "reservation_s": 60,
    }
    made = offer(url, {"flash_sale": sale | more})
    assert made.status_code == 200, made.text
    time.sleep(0.6)  # a worker reads the sales four times a second
    return int(made.json()["flash_sale"]["sale_id"])


def book(url: str, kind: str, **wanted: object) -> dict[str, object]:
    """The one fact of a kind whose fields are as wanted."""
    found = [
        fact
        for fact in truth(url)
        if fact["type"] == kind and all(fact[name] == value for name, value in wanted.items())
    ]
    assert len(found) == 1, found
    return found[0]


def stock_of(url: str, product_id: int) -> tuple[int, int, int, int]:
    """On hand, reserved, sold, returned; the five counts must agree."""
    stock = book(url, "stock", product_id=product_id)
    on_hand, reserved, sold, returned = (int(str(stock[name])) for name in ("on_hand", "reserved", "sold", "returned"))
    assert on_hand + reserved + sold - returned == stock["initial"]
    assert reserved == stock["held"]
    return on_hand, reserved, sold, returned
