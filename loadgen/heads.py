"""The head of an answer, looked at only as far as somebody asks: most fields of most answers are never read."""

from collections.abc import Iterator, Mapping


def field_values(head: bytes, folded: bytes, name: bytes) -> bytes:
    """The values of a field, several joined by commas (RFC 9110 section 5.3); empty when it is not there.

    `folded` is the head in lower case, `name` the field's in lower case with line end and colon: b"\\nage:".
    """
    at = folded.find(name)
    if at < 0:
        return b""
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
