"""A probe's requests over the wire: through the companion's own client, with the cookies of whoever is to ask."""

from __future__ import annotations

from collections.abc import Mapping

from loadgen.http.cookies import CookieJar
from loadgen.http.response import ShopperResponse
from loadgen.records import PROBE
from loadgen.session import Session
from scenarios.browser_headers import Fetch, headers_for
from scenarios.safety.asking import Answered, Asking
from scenarios.safety.cache_signs import came_from_cache, shows_cache

_BREATH_S = 0.02  # after each request: a round is spread out, and may be cut between two
_PATIENCE_S = 4.0  # an answer that takes longer says nothing, and the end of a run must not wait for it


class WireAsker:
    """Asks as a browser would, with a page kind of its own. `sees_cache` turns true when a cache has shown itself."""

    def __init__(self, session: Session) -> None:
        self.sees_cache = False
        self._client = session.client
        # A mapping, and not lines made once: requests that nobody sends twice are not to be kept for the next time.
        lines = headers_for(Fetch.PAGE, "web").text.splitlines()
        self._headers = dict(line.split(": ", 1) for line in lines)

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
        """Ask for a path with these cookies, `headers` on top of a browser's; no redirect is followed."""
        self._client.cookies = who
        response = self._client.request(
            method,
            url,
            name=PROBE,
            data=form,
            headers={**self._headers, **(headers or {})},
            catch_response=True,
            allow_redirects=False,
            timeout=_PATIENCE_S,
        )
        with response:
            if response.status_code and (provokes or response.status_code < 500) and response.error is None:
                response.success()
        self.sees_cache = self.sees_cache or shows_cache(response.header)
        yield _BREATH_S
        return _answered(url, response)


def _answered(url: str, response: ShopperResponse) -> Answered:
    return Answered(
        url=url,
        key=response.host.header + response.path,
        status=0 if response.error is not None else response.status_code,
        page_kind=response.header("x-page-kind"),
        cache_status=response.header("cache-status"),
        cache_control=response.header("cache-control"),
        from_cache=came_from_cache(response.header),
        head=response.head,
        body=response.content or b"",
    )
