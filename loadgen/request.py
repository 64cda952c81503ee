"""From the arguments of a call to the bytes of an HTTP/1.1 request (RFC 9112)."""

import json as json_codec
from base64 import b64encode
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlencode

from loadgen.hosts import Host

DEFAULT_HEADERS = {"User-Agent": "Lonjak", "Accept": "*/*", "Accept-Encoding": "gzip, deflate, br"}
_REMEMBERED_CHARS = 500
_FORM = "application/x-www-form-urlencoded"
_AS_IT_IS = "/%:?#[]@!$&'()*+,;=-._~"  # what a URL may hold (RFC 3986)
_WITH_BODY = frozenset(("POST", "PUT", "PATCH"))
Body = str | bytes | Mapping[str, Any] | Sequence[tuple[str, Any]] | None


class HeaderLines(str):
    """Header lines made once by `header_lines`, for requests that have them in common."""

    __slots__ = ()

    def plus(self, name: str, value: str) -> "HeaderLines":
        """The same with one more; ValueError for a line break in it."""
        return HeaderLines(f"{self}{_line(name, value)}")


class Request:
    """What is asked of whom. `headers` are lines with their ends, without Host and Cookie; never changed once made."""

    __slots__ = ("body", "headers", "host", "method", "path")

    def __init__(self, method: str, host: Host, path: str, headers: str, body: bytes = b"") -> None:
        self.method = method
        self.host = host
        self.path = path
        self.headers = headers
        self.body = body

    def to_bytes(self, cookies: str) -> bytes:
        """The request as it goes out; ValueError for a line break within a header."""
        head = f"{self.method} {self.path} HTTP/1.1\r\nHost: {self.host.header}\r\n{self.headers}"
        if cookies:
            head = f"{head}Cookie: {cookies}\r\n"
        return head.encode("latin-1") + b"\r\n" + self.body

    def following(self, status: int, host: Host, path: str) -> "Request":
        """The request that a redirect asks for (RFC 9110 section 15.4), as browsers send it."""
        headers = self.headers
        if host is not self.host:
            headers = without(headers, "authorization")
        if status in (307, 308) or self.method in ("GET", "HEAD"):
            return Request(self.method, host, path, headers, self.body)
        return Request("GET", host, path, without(headers, "content-type", "content-length"))


def header_lines(given: Mapping[str, str], defaults: Mapping[str, str] = DEFAULT_HEADERS) -> HeaderLines:
    """Header lines: what is given, and defaults for what is not. ValueError for a line break within one."""
    names = {name.lower() for name in given}
    missing = {name: value for name, value in defaults.items() if name.lower() not in names}
    return HeaderLines(
        "".join(_line(name, value) for name, value in (*given.items(), *missing.items()) if value is not None)
    )


def _line(name: str, value: str) -> str:
    line = f"{name}: {value}\r\n"
    if line.count("\n") != 1 or line.count("\r") != 1:
        raise ValueError(f"the header {name[:40]!r} has a line break in its name or value")
    return line


def without(lines: str, *names: str) -> str:
    """Header lines without those of some names, given in lower case."""
    kept = [line for line in lines.split("\r\n") if line and line.partition(":")[0].lower() not in names]
    return "".join(f"{line}\r\n" for line in kept)


def with_body(method: str, headers: str, data: Body, json: object) -> tuple[str, bytes]:
    """Header lines that describe a body, and the body: a form, JSON, text or bytes."""
    body, kind = _body(data, json)
    if body or method in _WITH_BODY:
        headers += f"Content-Length: {len(body)}\r\n"
    if kind and "\ncontent-type:" not in f"\n{headers}".lower():
        headers += f"Content-Type: {kind}\r\n"
    return headers, body


def fit_path(path: str) -> str:
    """A path as it may be sent: without fragment, what is not allowed in a URL escaped."""
    return _fitted_before(path) if len(path) < _REMEMBERED_CHARS else _fitted(path)


def _fitted(path: str) -> str:
    path = path.partition("#")[0]
    if path.isascii() and path.isprintable() and " " not in path:
        return path or "/"
    return quote(path, safe=_AS_IT_IS)


_fitted_before = lru_cache(maxsize=4096)(_fitted)


def with_params(path: str, params: Mapping[str, Any]) -> str:
    """A path with parameters appended."""
    return path + ("&" if "?" in path else "?") + urlencode(params, doseq=True)


def basic_auth(user: str | bytes, password: str | bytes) -> str:
    """The value of an Authorization header (RFC 7617)."""
    plain = b":".join(text.encode() if isinstance(text, str) else text for text in (user, password))
    return f"Basic {b64encode(plain).decode('ascii')}"


def _body(data: Body, json: object) -> tuple[bytes, str]:
    if data is None or (not data and json is not None):
        return (b"", "") if json is None else (json_codec.dumps(json).encode(), "application/json")
    if isinstance(data, str):
        return data.encode(), ""
    if isinstance(data, bytes | bytearray):
        return bytes(data), ""
    return urlencode(data, doseq=True).encode(), _FORM
