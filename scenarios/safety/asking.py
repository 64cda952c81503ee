"""How a probe asks, what it is answered, and whom it tells; what it stands on is `wire`, or a test's own. Pure."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Protocol

from loadgen.http.cookies import CookieJar


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back; status 0 when nothing did. `url` is path and query, `key` the same with the host before it.

    `head` and `body` are all of it as bytes; `from_cache`: a cache answered from what it had.
    """

    url: str
    key: str
    status: int
    page_kind: str = ""
    cache_status: str = ""
    cache_control: str = ""
    from_cache: bool = False
    head: bytes = b""
    body: bytes = b""

    @property
    def is_overload(self) -> bool:
        """Whether a shop that has too much to do, or is down, answers like this."""
        return self.status in {0, 429} or self.status >= 500


Asking = Generator[float, None, Answered]
"""A request under way: yields the seconds to wait after it, then returns the answer."""


class Asker(Protocol):
    """Sends a probe's requests."""

    def ask(
        self,
        url: str,
        who: CookieJar,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        provokes: bool = False,
    ) -> Asking:
        """Ask for a path with a visitor's cookies, and `headers` on top of a browser's; no redirect is followed.

        `provokes`: the request asks for an error, which is no failure then.
        """


class Witness(Protocol):
    """Who is told what a check found: the session."""

    def safety_checked(self, check: str, count: int = 1) -> None:
        """A check came to a conclusion, whichever."""

    def leak(
        self,
        check: str,
        *,
        url: str,
        page_kind: str,
        cache_status: str,
        cache_control: str,
        key: str,
        told: str,
    ) -> None:
        """A check found something; `told` is one sentence without any secret."""


class Probe(Protocol):
    """Looks for one kind of leak, a part of it in each round."""

    def round(self) -> Generator[float, None, None]:
        """Send the requests of one round; yields the seconds to wait."""


def tell(witness: Witness, check: str, answered: Answered, told: str) -> None:
    """Tell of a leak that an answer shows."""
    witness.leak(
        check,
        url=answered.url,
        page_kind=answered.page_kind,
        cache_status=answered.cache_status,
        cache_control=answered.cache_control,
        key=answered.key,
        told=told,
    )
