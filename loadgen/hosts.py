"""Whom a request goes to: scheme, host and port, and the addresses behind the name."""

import socket
import time
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote, urlsplit, urlunsplit

import gevent.socket

_DEFAULT_PORTS = {"http": 80, "https": 443}
_RESOLVE_AGAIN_S = 30.0
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
def _host(scheme: str, host: str, port: int) -> Host:
    return Host(scheme, host, port)


def locate(url: str) -> tuple[Host, str]:
    """The host of an absolute http(s) URL, and its path with the query; ValueError when it is none."""
    parts = urlsplit(url)
    host, scheme = parts.hostname, parts.scheme
    if not host or scheme not in _DEFAULT_PORTS:
        raise ValueError(f"{url[:200]!r} is not an http:// or https:// address")
    if ":" not in host:
        host.encode("idna")  # UnicodeError, a ValueError, for a name that nobody could look up
    port = _DEFAULT_PORTS[scheme] if parts.port is None else parts.port
    return _host(scheme, host, port), (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


@dataclass(frozen=True, slots=True)
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
    return BaseUrl(text, locate(text)[0], path, credentials)
