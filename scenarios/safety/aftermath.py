"""What others get after one odd request for a page: the judgement that poisoning and denial through a cache share.

The odd request goes to a product page with a query that nobody else asks for, so that no shopper's page is spoilt. A
plain request for the same address, of another visitor, must be answered with the page as if nothing had been.

Before anything is called a leak, everything else is ruled out. Out of a cache an error is the odd request's doing; from
behind one it must come twice in a row, and be none that a shop answers under too much load. Addresses that nobody has
touched must be well. What a shop answers under too much load, and a cache keeps, may be the load's doing: it must all
happen several times in a row, at other addresses.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Generator
from dataclasses import dataclass
from itertools import cycle, islice

from loadgen.http.cookies import CookieJar
from scenarios.safety.asking import Answered, Asker, Asking, Witness, tell

MARK = "{mark}"
_MOST_ATTEMPTS = 4  # at what may be the load's doing: a shop that refuses every fifth request is believed to do so
_UNTOUCHED = 3  # addresses that must be well after each
_PER_ROUND = 2


@dataclass(frozen=True, slots=True)
class Oddity:
    """One odd way to ask. MARK in a header's value stands for a word that must not come back; `name` is told of it."""

    name: str
    headers: tuple[tuple[str, str], ...] = ()
    method: str = "GET"


@dataclass(frozen=True, slots=True)
class Harm:
    """What a plain visitor got in the place of a page, in words; `marked`: what the odd request had said."""

    answered: Answered
    told: str
    marked: bool = False


class Unclear(Exception):
    """Nothing can be concluded: the shop is down, refuses, or has no such page."""


class Aftermath:
    """Tries oddities in turn, some in each round; `draw_page` names the path of a page that anyone may see."""

    def __init__(
        self,
        check: str,
        oddities: tuple[Oddity, ...],
        *,
        asker: Asker,
        witness: Witness,
        draw_page: Callable[[], str],
    ) -> None:
        self._check = check
        self._oddities = cycle(oddities)
        self._asker = asker
        self._witness = witness
        self._draw_page = draw_page

    def round(self) -> Generator[float, None, None]:
        """The next oddities, and what came after each."""
        for oddity in islice(self._oddities, _PER_ROUND):
            try:
                harm = yield from self._examine(oddity)
            except Unclear:
                continue
            self._witness.safety_checked(self._check)
            if harm is not None:
                tell(self._witness, self._check, harm.answered, f"after a request with {oddity.name}, {harm.told}")

    def _examine(self, oddity: Oddity) -> Generator[float, None, Harm | None]:
        harm = None
        for _ in range(_MOST_ATTEMPTS):
            page = self._draw_page()
            harm = yield from self._harm_of(oddity, page)
            if harm is None:
                return None
            for _ in range(_UNTOUCHED):
                if harm_in((yield from self._plain(_address(page)))) is not None:
                    raise Unclear
            if harm.marked or not harm.answered.is_overload:
                return harm
        return harm

    def _harm_of(self, oddity: Oddity, page: str) -> Generator[float, None, Harm | None]:
        url, mark = _address(page), f"m{secrets.token_hex(6)}"
        headers = {name: value.replace(MARK, mark) for name, value in oddity.headers}
        yield from self._asker.ask(url, CookieJar(), method=oddity.method, headers=headers, provokes=True)
        harm = harm_in((yield from self._plain(url)), mark)
        if harm is None or harm.marked or harm.answered.from_cache:
            return harm
        harm = harm_in((yield from self._plain(url)), mark)
        if harm is not None and harm.answered.is_overload:
            raise Unclear
        return harm

    def _plain(self, url: str) -> Asking:
        return self._asker.ask(url, CookieJar())


def harm_in(answered: Answered, mark: str = "") -> Harm | None:
    """What is wrong with an answer to a plain request; None when it is a page."""
    if mark and (mark.encode() in answered.body.lower() or mark.encode() in answered.head.lower()):
        return Harm(answered, "what it had said stands in the answer to somebody else's plain one", marked=True)
    if 300 <= answered.status < 400:
        return Harm(answered, f"somebody else's plain one was led elsewhere (status {answered.status})")
    if answered.status != 200:
        return Harm(answered, f"somebody else's plain one was answered with status {answered.status}")
    if not answered.body:
        return Harm(answered, "somebody else's plain one was answered with nothing")
    return None


def _address(page: str) -> str:
    return f"{page}?probe={secrets.token_hex(6)}"
