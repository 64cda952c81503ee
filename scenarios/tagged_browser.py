"""A browser that came by links which somebody counts: every page it asks for has a parameter of its own.

Between a storefront, which knows nothing of it, and the browser; for mixes that tag addresses.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import count

from loadgen.session import Session
from scenarios.answers import Answer
from scenarios.browser import Browser, Clock, Inspector
from scenarios.storefront import Page


def tagged(url: str, tag: str) -> str:
    """The address with a parameter that only its sender reads."""
    return f"{url}{'&' if '?' in url else '?'}utm_id={tag}"


class TaggedBrowser(Browser):
    """No tag comes twice, not in another run either; files and forms have none."""

    def __init__(
        self, session: Session, origin: str, clock: Clock = time.monotonic, *, inspector: Inspector | None = None
    ) -> None:
        super().__init__(session, origin, clock, inspector=inspector)
        self._visit = f"{round(session.at * 1000):x}-{session.number}"
        self._pages = count(1)

    def open(self, kind: str, url: str, reader: Callable[[Answer], Page]) -> Page | None:
        """The page at a URL with a tag, then the files it needs."""
        return super().open(kind, tagged(url, f"{self._visit}-{next(self._pages)}"), reader)
