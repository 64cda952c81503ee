"""One running edge of each profile for all tests, each before an origin of its own, started when it is first wanted."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest

from reference_shop.edges import EdgeOptions
from tests.edges.origin import TestOrigin
from tests.edges.running import Edge, running

PURGING = EdgeOptions(purge="auto")
CACHING = ("nginx", "nginx-micro", "varnish", "two-tier")
# Those that go by the lifetimes that the origin gives.
BY_HEADERS = ("nginx", "varnish", "two-tier")


OpenPlace = Callable[..., "Place"]
# What a page may say of itself that has expired already when a test gets it.
EXPIRED = "public, s-maxage=1"
STALE = "public, s-maxage=1, stale-while-revalidate=600"
_AHEAD = 12
# Caches hold an old page for ten minutes (`keep_beyond_lifetime` in the VCL); tests may come later than that.
_GOOD_FOR_S = 300.0


@dataclass
class Place:
    """An edge and what it stands before, with pages that were stored at the beginning and have expired since."""

    edge: Edge
    origin: TestOrigin
    _ahead: dict[str, list[str]] = field(default_factory=dict)
    _stored_at: float = 0.0

    def prepare(self) -> None:
        """Have pages expire while other tests run."""
        if self.edge.site.profile.name in BY_HEADERS:  # others forget them too soon
            for caching in (EXPIRED, STALE):
                self._ahead[caching] = [self._stored(caching) for _ in range(_AHEAD)]
            self._stored_at = time.time()

    def expired(self, caching: str = EXPIRED) -> str:
        """A page with the usual body, fetched once, at one door, which was not asked for since it expired."""
        if self._ahead and time.time() > self._stored_at + _GOOD_FOR_S:
            self.prepare()
        page = self._ahead[caching].pop() if self._ahead.get(caching) else ""
        if not page:
            page = self._stored(caching)
            let_expire(time.time())
        elif time.time() < self._stored_at + 3:
            let_expire(self._stored_at)
        return page

    def _stored(self, caching: str) -> str:
        page = self.origin.page(caching, headers="ETag: yes")
        assert self.edge.status(page).endswith("; stored")
        return page


@pytest.fixture(scope="session")
def open_place() -> Iterator[OpenPlace]:
    """The one place of a profile with these options."""
    places: dict[object, Place] = {}
    with ExitStack() as held:

        def open_one(profile: str, options: EdgeOptions = PURGING, *, is_shop: bool = True) -> Place:
            key = (profile, options, is_shop)
            if key not in places:
                origin = TestOrigin()
                origin.open()
                held.callback(origin.die)
                edge = held.enter_context(running(profile, origin.port, options, is_shop=is_shop))
                places[key] = Place(edge, origin)
                if options == PURGING:
                    places[key].prepare()
            return places[key]

        yield open_one


@pytest.fixture(params=CACHING)
def place(request: pytest.FixtureRequest, open_place: OpenPlace) -> Place:
    """Every profile that has a cache."""
    return open_place(request.param)


@pytest.fixture(params=BY_HEADERS)
def place_by_headers(request: pytest.FixtureRequest, open_place: OpenPlace) -> Place:
    """Every profile whose cache keeps to the origin's lifetimes."""
    return open_place(request.param)


@pytest.fixture(params=(*CACHING, "nginx-pass"))
def any_place(request: pytest.FixtureRequest, open_place: OpenPlace) -> Place:
    """Every profile that is an edge."""
    return open_place(request.param)


def let_expire(stored_at: float) -> None:
    """Wait until what was stored then for one second has expired: nginx counts in whole seconds."""
    time.sleep(max(0.0, math.floor(stored_at) + 2.03 - time.time()))
