"""What a bad answer is made of: a script that a hostile server plays, and how a request to it may end."""

import gzip
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

PROTOCOL, TIMEOUT, CONNECT, TLS, OK = "protocol", "timeout", "connect", "tls", "ok"

# How a request may end: a class of records.FAILURE_CLASSES, or ok. A family that may end ok has no bad answers, but
# some that must not break anything.
EXPECTED: Mapping[str, tuple[str, ...]] = {
    "cut off": (PROTOCOL,),  # closed at every byte
    "reset": (CONNECT, PROTOCOL),  # at every byte
    "half closed": (PROTOCOL,),
    "garbage": (PROTOCOL,),
    "bad status line": (PROTOCOL,),
    "odd status": (PROTOCOL, "http_5xx"),
    "bad header": (PROTOCOL,),
    "endless head": (PROTOCOL,),
    "bad chunk": (PROTOCOL,),
    "bad length": (PROTOCOL,),
    "bad coding": (PROTOCOL,),
    "interim": (PROTOCOL,),
    "unasked upgrade": (PROTOCOL,),
    "bad redirect": (PROTOCOL,),
    "redirect to nowhere": (CONNECT, PROTOCOL),
    "redirect loop": (PROTOCOL,),
    "silence": (TIMEOUT,),
    "slow drip": (TIMEOUT,),
    "interim flood": (PROTOCOL, TIMEOUT),
    "hasty close": (CONNECT, PROTOCOL),  # before the request was read
    "bad certificate": (TLS,),
    "bad handshake": (TLS, CONNECT),
    "silent handshake": (TIMEOUT,),
    "tls cut off": (TLS, PROTOCOL),
    "tls reset": (TLS, CONNECT, PROTOCOL),
    "tls silence": (TIMEOUT,),
    "surplus": (OK,),  # more than was asked for spoils the connection, not the answer
    "late surplus": (OK,),  # the same, a moment later
    "silent close": (OK,),  # after a whole answer that did not tell of it
    "odd cookie": (OK,),
    "hasty answer": (OK, CONNECT, PROTOCOL),
    "ambiguous": (OK, PROTOCOL),  # a client may be lenient here
    "bomb": (OK, PROTOCOL),
    "mutated": (OK, PROTOCOL, "http_4xx", "http_5xx"),
}


class Door(Enum):
    """Where the case is played: the doors that hear no request know it by the client's address (`address_of`)."""

    HTTP = "http"
    EARLY = "early"  # plays when somebody connects, and reads afterwards
    HTTPS = "https"
    SELF_SIGNED = "self_signed"
    WRONG_NAME = "wrong_name"
    EXPIRED = "expired"
    HANDSHAKE = "handshake"  # plays after the client's first words of TLS


class End(Enum):
    """What becomes of the connection after the last piece."""

    CLOSE = "close"
    RESET = "reset"
    HALF_CLOSE = "half close"  # nothing more is sent, and the client is waited for
    HOLD = "hold"  # silent, until the client goes
    KEEP = "keep"  # ready for another request


@dataclass(frozen=True, slots=True)
class Endless:
    """The same bytes for ever."""

    data: bytes
    pause_s: float


Piece = bytes | float | Endless  # a number is a pause in seconds


@dataclass(frozen=True, slots=True)
class Case:
    """One script. `cut_at` is how many bytes of ciphertext go out: of the server's part of the handshake for
    Door.HANDSHAKE, of the answer for Door.HTTPS. `visit_count` is how often it is asked for, `sample_count` how many
    samples come of that; all but the last are ok."""

    name: str
    pieces: tuple[Piece, ...]
    end: End = End.CLOSE
    door: Door = Door.HTTP
    cut_at: int | None = None
    visit_count: int = 1
    sample_count: int = 1
    family: str = ""

    @property
    def expected(self) -> tuple[str, ...]:
        return EXPECTED[self.family]

    @property
    def bad(self) -> bool:
        return OK not in self.expected

    @property
    def waits(self) -> bool:
        return TIMEOUT in self.expected

    @property
    def rest_s(self) -> float:
        """What should pass before the next request, so that what the server does of its own accord has come."""
        if self.family == "late surplus":
            return 1.0
        return 0.0 if self.end is End.KEEP else 0.1


Random = random.Random
Cases = Iterator[Case]


def address_of(number: int) -> str:
    """The loopback address from which a case is asked for."""
    return f"127.{64 + (number >> 16)}.{number >> 8 & 255}.{number & 255}"


def number_of(address: str) -> int:
    _, high, middle, low = map(int, address.split("."))
    return (high - 64 << 16) + (middle << 8) + low


def answer(body: bytes = b"", *headers: bytes, status: bytes = b"200 OK", length: bool = True) -> bytes:
    framing = [b"Content-Length: %d" % len(body)] if length else []
    return b"\r\n".join((b"HTTP/1.1 " + status, b"Server: hostile", *headers, *framing, b"", body))


def chunked(body: bytes, *headers: bytes, size: int = 64) -> bytes:
    chunks = [body[at : at + size] for at in range(0, len(body), size)]
    framed = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in (*chunks, b""))
    return answer(framed, *headers, b"Transfer-Encoding: chunked", length=False)


def gzipped(text: bytes) -> bytes:
    return gzip.compress(text, mtime=0)


def text_of(dice: Random, length: int) -> bytes:
    return bytes(dice.choices(b"abcdefghij <>/\n", k=length))


def whole_answers(dice: Random) -> dict[str, bytes]:
    """Answers that are not whole when a byte is missing."""
    text = text_of(dice, dice.randrange(150, 300))
    return {
        "plain": answer(text, b"Content-Type: text/html; charset=utf-8"),
        "chunked": chunked(text, b"Cache-Control: public, max-age=60"),
        "gzip": answer(gzipped(text), b"Content-Encoding: gzip"),
        "chunked gzip": chunked(gzipped(text), b"Content-Encoding: gzip", size=50),
    }


def until_close(dice: Random) -> bytes:
    """An answer that the end of the connection ends."""
    return answer(text_of(dice, 200), b"Connection: close", length=False)
