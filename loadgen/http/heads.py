"""The head of an answer, looked at only as far as somebody asks: most fields of most answers are never read."""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

_NOTED = re.compile(rb"\n(cache-control|cache-status|set-cookie|content-encoding):[ \t]*([^\r]*)", re.IGNORECASE)
_DATE = b"\r\nDate: "
_DATE_BYTES = len("\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT")  # RFC 9110 section 5.6.7
_MOST_KNOWN = 1024
_known: dict[bytes, "Noted"] = {}


class Noted(NamedTuple):
    """What every sample needs of a head: the values of four fields, several of one joined by commas, cookies apart."""

    cache_control: bytes
    cache_status: bytes
    content_encoding: bytes
    cookies: tuple[bytes, ...]


def note(head: bytes) -> Noted:
    """Look at the four fields. Answers of one page differ in their Date only, and are known by the rest."""
    at = head.find(_DATE)
    rest = head if at < 0 else head[:at] + head[at + _DATE_BYTES :]
    known = _known.get(rest)
    if known is None:
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        known = _known[rest] = _note(head)
    return known


def field_values(head: bytes, folded: bytes, name: bytes) -> bytes:
    """The values of a field, several joined by commas (RFC 9110 section 5.3); empty when it is not there.

    `folded` is the head in lower case, `name` the field's in lower case with line end and colon: b"\\nage:".
    """
    at = folded.find(name)
    values = b""
    while at >= 0:
        start = at + len(name)
        end = head.find(b"\r", start)
        value = head[start:end].strip()
        values = values + b", " + value if values else value
        at = folded.find(name, end)
    return values


class Headers(Mapping[str, str]):
    """Fields by name in any case, as text; several of a name are joined by commas."""

    __slots__ = ("_values",)

    def __init__(self, head: bytes) -> None:
        self._values: dict[str, str] = {}
        name = ""
        for line in head.decode("latin-1").split("\r\n")[1:-1]:
            if line[0] in " \t":  # a folded line (RFC 9112 section 5.2)
                self._values[name] += f" {line.strip()}"
                continue
            given, _, value = line.partition(":")
            name, value = given.lower(), value.strip()
            self._values[name] = f"{self._values[name]}, {value}" if name in self._values else value

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def _note(head: bytes) -> Noted:
    found: dict[bytes, list[bytes]] = {}
    for name, value in _NOTED.findall(head):
        found.setdefault(name.lower(), []).append(value.rstrip(b" \t"))
    return Noted(
        b", ".join(found.get(b"cache-control", ())),
        b", ".join(found.get(b"cache-status", ())),
        b", ".join(found.get(b"content-encoding", ())),
        tuple(found.get(b"set-cookie", ())),
    )
