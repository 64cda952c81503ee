"""What an operator does in tests: puts things on offer, and adds up the books."""

import re
import time

import requests

from tests.shop.processes import OPS_TOKEN, wait_until
from tests.shop.shopper import truth

GUARD = {"authorization": f"Bearer {OPS_TOKEN}"}


def offer(url: str, document: object) -> requests.Response:
    """Post offers as they are."""
    return requests.post(f"{url}/ops/offers", json=document, headers=GUARD, timeout=10)


def begin_sale(url: str, product_id: int, units: int, **more: object) -> int:
    """Begin a flash sale, at once unless told otherwise; its id. Returns when a worker knows of it, or it is over."""
    now = time.time()
    sale: dict[str, object] = {
        "product_id": product_id,
        "units": units,
        "limit_per_customer": 1,
        "starts_at": now - 1,
        "ends_at": now + 600,
        "reservation_s": 60,
    }
    sale |= more
    made = offer(url, {"flash_sale": sale})
    assert made.status_code == 200, made.text
    starts_at, ends_at = (float(str(sale[name])) for name in ("starts_at", "ends_at"))
    wait_until(lambda: _is_shown(url, product_id, starts_at) or time.time() > ends_at, "the sale on its page")
    return int(made.json()["flash_sale"]["sale_id"])


def _is_shown(url: str, product_id: int, starts_at: float) -> bool:
    """Whether the product's page knows of a sale that begins then."""
    page = requests.get(f"{url}/product/{product_id}", timeout=10)
    told = re.search(r'data-sale-starts-at="([^"]*)"', page.text)
    return told is not None and abs(float(told[1]) - starts_at) < 0.01


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
