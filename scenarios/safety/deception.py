"""Check `deception`: a personal page must not end in a shared cache because its address looks like a file's.

A visitor with a cart is led to addresses of its own pages that end like a style sheet or a script. A shop that ignores
the ending shows the visitor's page, a cache that goes by the ending keeps it, and whoever asks next has it. Safe: a
stranger without cookies, asking for the same address right after, is shown no visitor's secret. A leak: it is.

After O. Gil, "Web Cache Deception Attack" (Black Hat USA 2017); the ways to write an address that shop and cache may
read differently (an encoded slash, a parameter after `;` or `?`) after S. A. Mirheidari et al., "Cached and Confused:
Web Cache Deception in the Wild" (USENIX Security 2020). Two addresses without any disguise are asked for as well: a
cache that keeps those needs no deceiving.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Generator
from itertools import cycle, islice

from loadgen.http.cookies import CookieJar
from scenarios.safety.asking import Answered, Asker, Asking, Witness, tell
from scenarios.safety.visitor_secret import CART_COOKIE, secret_of, secrets_in

CHECK = "deception"
DISGUISES = (
    "/cart/{token}.css",
    "/cart",
    "/fragment/header/{token}.js",
    "/cart?{token}.css",
    "/fragment/header",
    "/cart;{token}.css",
    "/account/{token}.css",
    "/cart%2f{token}.css",
)
_PER_ROUND = 4


class Deception:
    """A visitor and its cart, which is filled once; `draw_product` names a product to put in."""

    def __init__(self, asker: Asker, witness: Witness, draw_product: Callable[[], int]) -> None:
        self._asker = asker
        self._witness = witness
        self._draw_product = draw_product
        self._disguises = cycle(DISGUISES)
        self._visitor = CookieJar()

    def round(self) -> Generator[float, None, None]:
        """Some of the addresses, each as the visitor and then as a stranger; none while there is no cart."""
        if self._visitor.get(CART_COOKIE) is None:
            yield from self._fill_cart()
        token = self._visitor.get(CART_COOKIE)
        if token is None:
            return
        for disguise in islice(self._disguises, _PER_ROUND):
            url = disguise.format(token=secrets.token_hex(6))
            lured = yield from self._asker.ask(url, self._visitor, provokes=True)
            stranger = yield from self._asker.ask(url, CookieJar(), provokes=True)
            self._conclude(lured, stranger, secret_of(token))

    def _fill_cart(self) -> Asking:
        form = {"product_id": str(self._draw_product()), "quantity": "1"}
        return self._asker.ask("/cart/items", self._visitor, method="POST", form=form)

    def _conclude(self, lured: Answered, stranger: Answered, secret: str) -> None:
        shown = secrets_in(stranger.body)
        if not shown and (lured.is_overload or stranger.is_overload):
            return
        self._witness.safety_checked(CHECK)
        if shown:
            whose = "the visitor's who was led there" if secret in shown else "some other visitor's"
            told = f"a stranger without cookies was shown a personal page: {whose}"
            tell(self._witness, CHECK, stranger, told)
