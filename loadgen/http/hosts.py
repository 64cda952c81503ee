"""Whom a request goes to: scheme, host and port, and the addresses behind the name."""

import re
import socket
import time
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import gevent.socket

_DEFAULT_PORTS = {"http": 80, "https": 443}
_RESOLVE_AGAIN_S = 30.0
_AS_IT_IS = "/%:?[]@!$&'()*+,;=-._~"
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_SENDABLE = re.compile(r"[A-Za-z0-9/%:?\[\]@!$&'()*+,;=\-._~]+")
Address = tuple[int, tuple[object, ...]]  # family, socket address


class Host:
    """Scheme, host and port (RFC 6454); one object for each, so that it is compared by identity."""

    __slots__ = ("_addresses", "_resolved_at", "header", "name", "port", "secure")

    def __init__(self, scheme: str, host: str, port: int) -> None:
        self.name = host
        self.port = port
        self.secure = scheme == "https"
        shown = f"[{host}]" if ":" in host else host
        self.header = shown if port == _DEFAULT_PORTS[scheme] else f"{shown}:{port}"
        self._addresses: tuple[Address, ...] = ()
        self._resolved_at = float("-inf")

    def addresses(self, *, only_ipv4: bool) -> tuple[Address, ...]:
        """Where to connect to, in the resolver's order, looked up again every 30 s; OSError when there is none."""
        if time.monotonic() - self._resolved_at > _RESOLVE_AGAIN_S:
            found = gevent.socket.getaddrinfo(self.name, self.port, 0, socket.SOCK_STREAM)
            self._addresses = tuple((family, address) for family, _, _, _, address in found)
            self._resolved_at = time.monotonic()
        if only_ipv4:
            return tuple(entry for entry in self._addresses if entry[0] == socket.AF_INET)
        return self._addresses


@lru_cache(maxsize=4096)
def _host(scheme: str, name: str, port: int) -> Host:
    return Host(scheme, name, port)


def locate(url: str) -> tuple[Host, str]:
    """The host of an absolute http(s) URL, and its path with the query; ValueError when it is none."""
    parts = urlsplit(url)
    name, scheme = parts.hostname, parts.scheme
    if not name or scheme not in _DEFAULT_PORTS:
        raise ValueError(f"{url.rpartition('@')[2][:200]!r} is not an http:// or https:// address")
    if ":" not in name:
        name = name.encode("idna").decode("ascii")  # UnicodeError, a ValueError, for what nobody could look up
    port = _DEFAULT_PORTS[scheme] if parts.port is None else parts.port
    return _host(scheme, name, port), (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


@dataclass(frozen=True, slots=True, eq=False)
class BaseUrl:
    """What relative addresses are appended to: a host, and the beginning of every path; credentials stand apart."""

    text: str
    host: Host
    path: str
    credentials: tuple[str, str] | None


@lru_cache(maxsize=256)
def base_url(url: str) -> BaseUrl:
    """A base URL taken apart; ValueError when it is not an http(s) address."""
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    text = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], path, "", ""))
    credentials = None if parts.username is None else (unquote(parts.username), unquote(parts.password or ""))
    return BaseUrl(text, locate(url)[0], path, credentials)


def resolve(base: BaseUrl, url: str) -> tuple[Host, str]:
    """The host and the path, as it may be sent, of an address that is absolute or relative to a base URL."""
    if _ABSOLUTE.match(url):
        host, path = locate(url)
    else:
        host, path = base.host, base.path + (url if url.startswith(("/", "?", "#")) else f"/{url}")
    return host, fit_path(path)


def fit_path(path: str) -> str:
    """A path as it may be sent: without fragment, what is not allowed in a URL escaped (RFC 3986)."""
    path = path.partition("#")[0]
    if not path.startswith("/"):
        path = f"/{path}"
    return path if _SENDABLE.fullmatch(path) else quote(path, safe=_AS_IT_IS)
