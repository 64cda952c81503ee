"""A shopper with a browser's cookies, for tests; and the operator's view of the shop."""

import json
import re
from types import TracebackType
from typing import Self
from uuid import uuid4

import requests

from tests.shop.processes import OPS_TOKEN

ADDRESS = {
    "recipient": "Budi Santoso",
    "phone": "081234567890",
    "street": "Jl. Melati 5 RT 02/03",
    "city": "Bandung",
    "province": "Jawa Barat",
    "postcode": "40115",
}
GOOD_CARD, BAD_CARD = "tok_approved", "tok_declined"
TIMEOUT_S = 20


class Shopper:
    """Speaks to one shop worker and never follows a redirect by itself."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.session = requests.Session()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.session.close()

    def get(self, path: str, **headers: str) -> requests.Response:
        return self.session.get(self.url + path, headers=headers, allow_redirects=False, timeout=TIMEOUT_S)

    def post(self, path: str, form: dict[str, object], **headers: str) -> requests.Response:
        return self.session.post(self.url + path, data=form, headers=headers, allow_redirects=False, timeout=TIMEOUT_S)

    def add(self, product_id: int, quantity: int = 1) -> requests.Response:
        return self.post("/cart/items", {"product_id": product_id, "quantity": quantity})

    def prepare(self, product_id: int, quantity: int = 1) -> str:
        """Go to the payment form with one product; return its idempotency key."""
        assert self.add(product_id, quantity).status_code == 303
        assert self.post("/checkout", dict(ADDRESS)).status_code == 303
        return self.key()

    def key(self) -> str:
        """Return the key of a fresh payment form."""
        return fact(self.get("/checkout/payment"), r'name="idempotency_key" value="([^"]+)"')

    def pay(self, key: str, card: str = GOOD_CARD) -> requests.Response:
        return self.post("/checkout/payment", {"idempotency_key": key, "card_token": card})

    def register(self) -> str:
        """Open an account and stay logged in; return its email."""
        email = f"{uuid4().hex}@contoh.id"
        form: dict[str, object] = {"name": "Siti Aminah", "email": email, "password": "rahasia-sekali"}
        assert self.post("/register", form).status_code == 303
        return email


def fact(page: requests.Response, pattern: str) -> str:
    """Return what a page says, by a pattern with one group."""
    match = re.search(pattern, page.text)
    assert match, f"{page.url} ({page.status_code}) does not hold {pattern}"
    return match[1]


def on_body(page: requests.Response, name: str) -> str:
    """Return a data attribute of the page's body."""
    return fact(page, rf'<body [^>]*data-{name}="([^"]*)"')


def order_id_of(acknowledgement: requests.Response) -> int:
    """Return the order that a payment's redirect leads to."""
    assert acknowledgement.status_code == 303, acknowledgement.text
    match = re.fullmatch(r"/orders/(\d+)/confirmation", acknowledgement.headers["location"])
    assert match
    return int(match[1])


def truth(url: str, since: float = 0.0) -> list[dict[str, object]]:
    """Return the shop's own account of itself."""
    answer = requests.get(
        f"{url}/ops/truth?since={since}", headers={"authorization": f"Bearer {OPS_TOKEN}"}, timeout=TIMEOUT_S
    )
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def truths(url: str, kind: str, **wanted: object) -> list[dict[str, object]]:
    """Return the facts of one type whose fields are as wanted."""
    return [
        line
        for line in truth(url)
        if line["type"] == kind and all(line[name] == value for name, value in wanted.items())
    ]
