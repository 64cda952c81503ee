"""One shopper's cookies, after RFC 6265: what a Set-Cookie line says, and what goes out with a request.

The standard library's jar wants a request object for each question and takes longer than the request itself.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

_NEVER = float("inf")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_MOST_CHARS = 4096  # of name and value together, as browsers bound them
_MOST = 300  # as browsers bound it per site; the oldest goes first


@dataclass(frozen=True, slots=True)
class Cookie:
    """One cookie; `expires_at` in seconds since the epoch, infinite for a cookie of the session."""

    name: str
    value: str
    domain: str
    host_only: bool
    path: str
    secure: bool
    expires_at: float

    def goes_to(self, host: str, path: str, *, secure: bool) -> bool:
        """Whether a request to this host and path carries it (RFC 6265 section 5.4)."""
        if self.secure and not secure:
            return False
        at_home = host == self.domain or (not self.host_only and _is_below(host, self.domain))
        return at_home and _covers(self.path, path)


class CookieJar:
    """The cookies that one shopper holds. Hosts are given in lower case."""

    __slots__ = ("_clock", "_cookies", "_expires_at", "_headers")

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._cookies: dict[tuple[str, str, str], Cookie] = {}
        self._headers: dict[tuple[str, str, bool], str] = {}
        self._expires_at = _NEVER

    def __len__(self) -> int:
        return len(self._cookies)

    def __bool__(self) -> bool:
        return bool(self._cookies)

    def get(self, name: str, default: str | None = None) -> str | None:
        """The value of the newest cookie of that name."""
        return next((kept.value for kept in reversed(self._cookies.values()) if kept.name == name), default)

    def set(self, name: str, value: str, domain: str, path: str = "/") -> None:
        """Put a cookie in, for one host; ValueError for what no cookie may hold."""
        if _CONTROL.search(name + value):
            raise ValueError(f"the cookie {name[:40]!r} holds a control character")
        self._keep(Cookie(name, value, domain.lower(), True, path, False, _NEVER))

    def clear(self) -> None:
        """Forget all of them."""
        self._cookies.clear()
        self._headers.clear()

    def take_in(self, line: str, host: str, path: str) -> None:
        """Keep or forget what the value of a Set-Cookie field says; one that sets none changes nothing."""
        cookie = parse_set_cookie(line, host, path.partition("?")[0], self._clock())
        if cookie is not None:
            self._keep(cookie)

    def header(self, host: str, path: str, *, secure: bool) -> str:
        """The value of the Cookie header for a request, empty when none goes there."""
        if not self._cookies:
            return ""
        path = path.partition("?")[0]
        if self._clock() >= self._expires_at:
            self._forget_expired()
        key = (host, path, secure)
        known = self._headers.get(key)
        if known is None:
            fitting = [kept for kept in self._cookies.values() if kept.goes_to(host, path, secure=secure)]
            fitting.sort(key=lambda kept: -len(kept.path))
            known = "; ".join(f"{kept.name}={kept.value}" for kept in fitting)
            if len(self._headers) >= _MOST:
                self._headers.clear()
            self._headers[key] = known
        return known

    def _keep(self, cookie: Cookie) -> None:
        key = (cookie.domain, cookie.path, cookie.name)
        if self._cookies.get(key) == cookie:
            return
        self._headers.clear()
        if cookie.expires_at <= self._clock():
            self._cookies.pop(key, None)
            return
        if key not in self._cookies and len(self._cookies) >= _MOST:
            del self._cookies[next(iter(self._cookies))]
        self._cookies[key] = cookie
        self._expires_at = min(self._expires_at, cookie.expires_at)

    def _forget_expired(self) -> None:
        now = self._clock()
        self._cookies = {key: kept for key, kept in self._cookies.items() if kept.expires_at > now}
        self._headers.clear()
        self._expires_at = min((kept.expires_at for kept in self._cookies.values()), default=_NEVER)


def parse_set_cookie(line: str, host: str, path: str, now: float) -> Cookie | None:
    """The cookie that a Set-Cookie line from `host` sets (RFC 6265 section 5.2); None when it sets none.

    `path` is the request's; `now` in seconds since the epoch.
    """
    pair, *attributes = line.split(";")
    name, equals, value = pair.partition("=")
    name, value = name.strip(), value.strip()
    if not equals or not name or len(name + value) > _MOST_CHARS or _CONTROL.search(name + value):
        return None
    said = {key.strip().lower(): text.strip() for key, _, text in (part.partition("=") for part in attributes)}
    domain = said.get("domain", "").lower().lstrip(".")
    if domain and not _may_set(host, domain):
        return None
    given = said.get("path", "")
    return Cookie(
        name=name,
        value=value,
        domain=domain or host,
        host_only=not domain,
        path=given if given.startswith("/") else _default_path(path),
        secure="secure" in said,
        expires_at=_expiry(said, now),
    )


def _expiry(said: dict[str, str], now: float) -> float:
    age = said.get("max-age", "")
    if age.isascii() and age.removeprefix("-").isdecimal():
        return now + float(age) if float(age) > 0 else 0.0
    try:
        expires_at = parsedate_to_datetime(said["expires"])
        return (expires_at if expires_at.tzinfo else expires_at.replace(tzinfo=UTC)).timestamp()
    except (KeyError, ValueError, TypeError, IndexError, OverflowError):
        return _NEVER


def _may_set(host: str, domain: str) -> bool:
    # Without the list of public suffixes: a domain of one label is refused, as all such lists do.
    return host == domain or ("." in domain and _is_below(host, domain))


def _is_below(host: str, domain: str) -> bool:
    return host.endswith(f".{domain}") and not host.replace(".", "").isdecimal()


def _default_path(path: str) -> str:
    folder = path.rpartition("/")[0]
    return folder if folder.startswith("/") else "/"


def _covers(cookie_path: str, path: str) -> bool:
    if not path.startswith(cookie_path):
        return False
    return len(path) == len(cookie_path) or cookie_path.endswith("/") or path[len(cookie_path)] == "/"
