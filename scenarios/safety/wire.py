"""A probe's requests over the wire: through the companion's own client, with the cookies of whoever is to ask."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from loadgen.http.cookies import CookieJar
from loadgen.http.hosts import base_url
from loadgen.http.response import ShopperResponse
from loadgen.records import PROBE
from loadgen.session import Session
from scenarios.browser_headers import Fetch, headers_for
from scenarios.safety.asking import Answered, Asking
from scenarios.safety.cache_signs import came_from_cache, shows_cache

_BREATH_S = 0.02  # after each request: a round is spread out, and may be cut between two
_PATIENCE_S = 4.0  # an answer that takes longer says nothing, and the end of a run must not wait for it


class WireAsker:
    """Asks one point of presence as a browser would, with a page kind of its own and ids that only probes have.

    `sees_cache` turns true when a cache has shown itself.
    """

    def __init__(self, session: Session, point: str) -> None:
        self.sees_cache = False
        self._client = session.client
        self._point = base_url(point)
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
            self._point.text + url,
            name=PROBE,
            data=form,
            headers={**self._headers, "X-Request-ID": _request_id(), **(headers or {})},
            auth=self._point.credentials,
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


def _request_id() -> str:
    """By it the logs of edges and shop tell a probe from a shopper; edges keep an id of these characters."""
    return f"safety-{secrets.token_hex(12)}"


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
