"""Sends the attack requests of attacks.toml, byte for byte, and tells which of them never got to the shop."""

import socket
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.resources import files

_TIMEOUT_S = 15.0
_MOST_BYTES = 1 << 20
_BROWSER = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Accept": "text/html,application/xhtml+xml",
    "Accept-Language": "id,en;q=0.5",
}


@dataclass(frozen=True, slots=True)
class Attack:
    """One request; `path` and `body` are sent as they stand, `headers` take the place of a browser's own."""

    kind: str
    path: str
    method: str = "GET"
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""

    def to_bytes(self, host: str) -> bytes:
        """The request as it goes out."""
        body = self.body.encode()
        fields = {"Host": host, **_BROWSER}
        if body:
            fields |= {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": str(len(body))}
        fields |= self.headers | {"Connection": "close"}
        lines = (f"{self.method} {self.path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()))
        return "\r\n".join((*lines, "", "")).encode("latin-1") + body


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an attack: `status` 0 where there was no answer, `reached` whether the shop itself answered."""

    kind: str
    status: int
    reached: bool


def corpus() -> tuple[Attack, ...]:
    """The attacks of attacks.toml, in its order."""
    table = tomllib.loads(files("lonjak.bench").joinpath("attacks.toml").read_text(encoding="utf-8"))
    return tuple(
        Attack(line["class"], line["path"], line.get("method", "GET"), line.get("headers", {}), line.get("body", ""))
        for line in table["attack"]
    )


def attack(port: int, attacks: Sequence[Attack], host: str = "127.0.0.1") -> list[Outcome]:
    """Send one after the other to a port of loopback, each over a connection of its own."""
    return [_outcome(each, _answer(each.to_bytes(f"{host}:{port}"), host, port)) for each in attacks]


def _outcome(sent: Attack, answer: bytes) -> Outcome:
    """The shop names the kind of page on every answer of its own; whoever stands before it does not."""
    head = answer.partition(b"\r\n\r\n")[0]
    words = head.split(maxsplit=2)
    status = int(words[1]) if len(words) > 1 and words[1].isdigit() else 0
    return Outcome(sent.kind, status, b"\r\nx-page-kind:" in head.lower())


def _answer(request: bytes, host: str, port: int) -> bytes:
    """All that came back; nothing where the connection was refused or broken off."""
    answer = bytearray()
    try:
        with socket.create_connection((host, port), _TIMEOUT_S) as connection:
            connection.sendall(request)
            while len(answer) < _MOST_BYTES and (piece := connection.recv(65_536)):
                answer += piece
    except OSError:
        pass
    return bytes(answer)
