"""From the arguments of a call to the bytes of an HTTP/1.1 request (RFC 9112)."""

import json as json_codec
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from loadgen.http.hosts import BaseUrl, Host, resolve

DEFAULT_HEADERS = {"User-Agent": "Lonjak", "Accept": "*/*", "Accept-Encoding": "gzip, deflate, br"}
_FORM = "application/x-www-form-urlencoded"
_METHODS = frozenset(("GET", "HEAD", "OPTIONS", "DELETE", "POST", "PUT", "PATCH"))
_WITH_BODY = frozenset(("POST", "PUT", "PATCH"))
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_PERSONAL = ("authorization", "cookie", "host")  # not for another host to see
Body = str | bytes | Mapping[str, Any] | Sequence[tuple[str, Any]] | None


@dataclass(frozen=True, slots=True, eq=False)
class HeaderLines:
    """Header fields as they are sent, each with its line end; `names` are theirs, in lower case.

    Made once by `header_lines`, and given in the place of a mapping by whoever sends the same ones again and again.
    """

    text: str
    names: frozenset[str]

    def plus(self, name: str, value: str) -> "HeaderLines":
        """The same with one more. ValueError for what no header may hold."""
        return HeaderLines(self.text + _line(name, value), self.names | {name.lower()})

    def without(self, *names: str) -> "HeaderLines":
        """The same without some, given in lower case."""
        if not self.names.intersection(names):
            return self
        lines = self.text.split("\r\n")[:-1]
        kept = "".join(f"{line}\r\n" for line in lines if line.partition(":")[0].lower() not in names)
        return HeaderLines(kept, self.names.difference(names))


class Request:
    """What is asked of whom; never changed once made. ValueError for a method that is no word.

    `head` is what is sent before the cookies and the body.
    """

    __slots__ = ("body", "head", "headers", "host", "method", "path")

    def __init__(self, method: str, host: Host, path: str, headers: HeaderLines, body: bytes = b"") -> None:
        if method not in _METHODS and not _TOKEN.fullmatch(method):
            raise ValueError(f"{method[:40]!r} is no method of a request")
        self.method = method
        self.host = host
        self.path = path
        self.headers = headers
        self.body = body
        own = "" if "host" in headers.names else f"Host: {host.header}\r\n"
        self.head = f"{method} {path} HTTP/1.1\r\n{own}{headers.text}".encode("latin-1")

    def to_bytes(self, cookies: str = "") -> bytes:
        """The request as it goes out; `cookies` is the value of a Cookie header."""
        if cookies:
            return b"%bCookie: %b\r\n\r\n%b" % (self.head, cookies.encode("latin-1"), self.body)
        return self.head + b"\r\n" + self.body

    def following(self, status: int, host: Host, path: str) -> "Request":
        """The request that a redirect asks for (RFC 9110 section 15.4), as browsers send it."""
        headers = self.headers if host is self.host else self.headers.without(*_PERSONAL)
        if (status == 303 and self.method != "HEAD") or (status in (301, 302) and self.method == "POST"):
            return Request("GET", host, path, headers.without("content-type", "content-length"))
        return Request(self.method, host, path, headers, self.body)


def header_lines(given: Mapping[str, str | None], defaults: Mapping[str, str] = DEFAULT_HEADERS) -> HeaderLines:
    """Header lines: what is given, and defaults for what is not; None takes a default away.

    ValueError for what no header may hold.
    """
    names = {name.lower() for name, value in given.items() if value is not None or name.lower() != "host"}
    missing = {name: value for name, value in defaults.items() if name.lower() not in names}
    fields = {name: value for name, value in {**given, **missing}.items() if value is not None}
    text = "".join(_line(*field) for field in fields.items())
    return HeaderLines(text, frozenset(names.union(map(str.lower, fields))))


def ask(  # noqa: PLR0917 (those of a call, in its order)
    base: BaseUrl,
    defaults: HeaderLines,
    method: str,
    url: str,
    given: HeaderLines | None = None,
    data: Body = None,
    json: object = None,
) -> Request:
    """A request for an absolute or relative address. The base URL's credentials go to its own host only.

    ValueError for what cannot be a request.
    """
    host, path = resolve(base, url)
    lines = defaults if given is None else _merged(given, defaults)
    if base.credentials is not None and host is base.host and "authorization" not in lines.names:
        lines = lines.plus("Authorization", basic_auth(*base.credentials))
    body = b""
    if data is not None or json is not None or method in _WITH_BODY:
        lines, body = _with_body(method, lines, data, json)
    return Request(method, host, path, lines, body)


ask_again = lru_cache(maxsize=4096)(ask)
"""The same for what shoppers ask for again and again: no body, and header lines made once."""


def with_params(url: str, params: Mapping[str, Any]) -> str:
    """An address with parameters appended, without its fragment."""
    url = url.partition("#")[0]
    return url + ("&" if "?" in url else "?") + urlencode(params, doseq=True)


def basic_auth(user: str | bytes, password: str | bytes) -> str:
    """The value of an Authorization header (RFC 7617)."""
    plain = b":".join(text.encode() if isinstance(text, str) else text for text in (user, password))
    return f"Basic {b64encode(plain).decode('ascii')}"


def _with_body(method: str, headers: HeaderLines, data: Body, json: object) -> tuple[HeaderLines, bytes]:
    """Header lines that describe a body, and the body: a form, JSON, text or bytes."""
    body, kind = _body(data, json)
    if kind and "content-type" not in headers.names:
        headers = headers.plus("Content-Type", kind)
    if (body or method in _WITH_BODY) and "content-length" not in headers.names:
        headers = headers.plus("Content-Length", str(len(body)))
    return headers, body


def _merged(given: HeaderLines, defaults: HeaderLines) -> HeaderLines:
    """What is given, and defaults for what is not."""
    if defaults.names <= given.names:
        return given
    missing = defaults.without(*given.names)
    return HeaderLines(given.text + missing.text, given.names | missing.names)


def _line(name: str, value: str) -> str:
    line = f"{name}: {value}\r\n"
    line.encode("latin-1")  # UnicodeEncodeError, a ValueError, for what HTTP/1.1 cannot send
    if line.count("\n") != 1 or line.count("\r") != 1:
        raise ValueError(f"the header {name[:40]!r} has a line break in its name or value")
    return line


def _body(data: Body, json: object) -> tuple[bytes, str]:
    if data is None or (not data and json is not None):
        return (b"", "") if json is None else (json_codec.dumps(json).encode(), "application/json")
    if isinstance(data, str):
        return data.encode(), ""
    if isinstance(data, bytes | bytearray):
        return bytes(data), ""
    return urlencode(data, doseq=True).encode(), _FORM
