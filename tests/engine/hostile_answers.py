"""The bad answers that a hostile server gives: 10,000 and more, the same ones for the same seed.

The server and the test both make them from the seed, and speak of each by its number.
"""

import gzip
import random
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache

import brotli

SEED = 20260927
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
REDIRECT_LIMIT = 20


@cache
def corpus(seed: int = SEED) -> tuple[Case, ...]:
    """All cases; the number of one is its place."""
    cases: list[Case] = []
    for family, made_by in _FAMILIES.items():
        for case in made_by(Random(f"{seed} {family}")):
            fields = {name: getattr(case, name) for name in Case.__slots__}
            cases.append(Case(**{**fields, "family": family}))
    return tuple(cases)


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


# Connections that end


def cut_off(dice: Random) -> Cases:
    for turn in range(2):
        for name, whole in whole_answers(dice).items():
            for cut in range(len(whole)):
                yield Case(f"{name} {turn} of {cut} bytes", (whole[:cut],))
    whole = until_close(dice)
    for cut in range(whole.index(b"\r\n\r\n") + 4):
        yield Case(f"head of {cut} bytes", (whole[:cut],))


def reset(dice: Random) -> Cases:
    for turn in range(2):
        for name, whole in (*whole_answers(dice).items(), ("until close", until_close(dice))):
            for cut in range(len(whole) + (name == "until close")):
                yield Case(f"{name} {turn} of {cut} bytes", (whole[:cut],), End.RESET)


def half_closed(dice: Random) -> Cases:
    for name, whole in whole_answers(dice).items():
        for cut in range(0, len(whole), 7):
            yield Case(f"{name} of {cut} bytes", (whole[:cut],), End.HALF_CLOSE)


def hasty_close(dice: Random) -> Cases:
    for cut in range(0, 120, 2):
        for end in (End.CLOSE, End.RESET):
            yield Case(f"{end.value} after {cut} bytes", (answer(b"x" * 99)[:cut],), end, Door.EARLY)


def hasty_answer(dice: Random) -> Cases:
    for turn in range(20):
        for end in (End.CLOSE, End.RESET, End.HOLD, End.HALF_CLOSE):
            yield Case(f"{end.value} {turn}", (answer(text_of(dice, 50)),), end, Door.EARLY)


# What is no HTTP


def garbage(dice: Random) -> Cases:
    for turn in range(1200):
        yield Case(f"random {turn}", (dice.randbytes(dice.randrange(1, 600)),))
    for turn in range(200):
        yield Case(f"text {turn}", (text_of(dice, dice.randrange(1, 600)),))
    foreign = (
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"220 mail.example ESMTP Postfix\r\n",
        b"+OK POP3 ready\r\n",
        b"* OK IMAP4rev1\r\n",
        b"GET / HTTP/1.1\r\nHost: you\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello",
        b"<html>HTTP/0.9 had no head</html>",
        b"\x15\x03\x01\x00\x02\x02\x28",  # an alert of TLS
        b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64",  # SETTINGS of HTTP/2
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\r\n\r\n\r\n",
        b"\x00" * 400,
        b"\xff" * 70_000,
    )
    for words in foreign:
        for end in (End.CLOSE, End.HALF_CLOSE):
            yield Case(f"{words[:20]!r}, {end.value}", (words,), end)


def bad_status_line(dice: Random) -> Cases:
    lines = (
        "HTTP/9.9 200 OK", "HTTP/0.9 200 OK", "HTTP/2.0 200 OK", "HTTP/2 200", "HTTP/1 200 OK", "HTTP/ 200 OK",
        "HTTP/1.1 000 No", "HTTP/1.1 99 No", "HTTP/1.1 099 No", "HTTP/1.1 1000 No", "HTTP/1.1 abc No",
        "HTTP/1.1 -20 No", "HTTP/1.1 2x0 No", "HTTP/1.1 20 0 No", "HTTP/1.1 0x200 OK", "HTTP/1.1 OK", "HTTP/1.1 ",
        "HTTP/1.1", "HTTP/1.1200 OK", "HTTPS/1.1 200 OK", "http/1.1 200 OK", "ICY 200 OK", "RTSP/1.0 200 OK",
        "HTTP/1.1\t200 OK", "HTTP 200 OK", "XHTTP/1.1 200 OK", "HTTP/1.11 200 OK", "HTTP/-1.1 200 OK", "200 OK",
        "HTTP/1.1 99999999999999999999 OK", "\x00HTTP/1.1 200 OK",
    )  # fmt: skip
    for line in lines:
        for name, whole in whole_answers(dice).items():
            yield Case(f"{line!r}, {name}", (whole.replace(b"HTTP/1.1 200 OK", line.encode()),))


def odd_status(dice: Random) -> Cases:
    for status in range(600, 1000, 7):
        yield Case(f"{status}", (answer(text_of(dice, 40), status=b"%d Odd" % status),), End.KEEP)


def bad_header(dice: Random) -> Cases:
    lines = (
        b"no colon", b"Space : before", b" Space: first", b": no name", b"Nul: a\x00b", b"Na\x00me: x", b"(Name): x",
        b"N\xc3\xa4me: x", b"Bare: a\rb", b"\x01: x", b"Na me: x", b"Name\r: x", b"\x7f: x", b'"q": x',
        b"\nStray: x", b"@: x",
    )  # fmt: skip
    for line in lines:
        for at in ("first", "last"):
            headers = (line, b"X: y") if at == "first" else (b"X: y", line)
            yield Case(f"{line!r} {at}", (answer(b"hello", *headers),))
            yield Case(f"{line!r} {at}, cut off", (answer(b"hello", *headers)[:-2],))
    for cut in range(1, 40):  # empty lines before the status line must not hide how long the answer is
        yield Case(f"{cut} bytes after empty lines", (b"\r\n" * (cut % 3 + 1) + answer(b"x" * 40)[:-cut],))


def endless_head(dice: Random) -> Cases:
    start = b"HTTP/1.1 200 OK\r\n"
    in_chunks = start + b"Transfer-Encoding: chunked\r\n\r\n"
    for size in (300_000, 500_000, 1_000_000, 2_000_000):
        yield Case(f"one value of {size}", (answer(b"", b"X: " + b"x" * size),), End.HOLD)
        yield Case(f"one name of {size}", (answer(b"", b"x" * size + b": x"),), End.HOLD)
        yield Case(f"a reason of {size}", (answer(status=b"200 " + b"x" * size),), End.HOLD)
        lines = (b"X-%d: %s" % (number, b"x" * 90) for number in range(size // 100))
        yield Case(f"many of {size}", (answer(b"", *lines),), End.HOLD)
    for turn in range(6):
        line = bytes(dice.choices(b"abcdef", k=1000 + turn))
        yield Case(f"without line end {turn}", (start + b"X: ", Endless(line, 0)))
        yield Case(f"without end {turn}", (start, Endless(b"X: " + line + b"\r\n", 0)))
        yield Case(f"reason without end {turn}", (b"HTTP/1.1 200 ", Endless(line, 0)))
        yield Case(f"trailers without end {turn}", (in_chunks + b"0\r\n", Endless(b"X: " + line + b"\r\n", 0)))
        yield Case(f"extension without end {turn}", (in_chunks + b"5;", Endless(line, 0)))


# How long the answer is


def bad_chunk(dice: Random) -> Cases:
    sizes = (
        b"zz", b"-1", b"-", b"0x5", b"", b" ", b"5 5", b"+5", b"5g", b"F" * 17, b"1" + b"0" * 16, b"F" * 400,
        b"\xef\xbc\x95", b"5.0", b"5,", b"5\x00", b"\x005", b"'5'", b"5\r", b"NaN", b"\t5", b"5:", b"--5", b"5-",
        b"five", b"!",
    )  # fmt: skip
    for size in sizes:
        for good_count in range(8):
            good = b"".join(b"%x\r\n%s\r\n" % (5, text_of(dice, 5)) for _ in range(good_count))
            body = good + size + b"\r\nhello\r\n0\r\n\r\n"
            yield Case(f"{size!r} after {good_count}", (_in_chunks(body),))
    for good_count in range(8):
        good = b"5\r\nhello\r\n" * good_count
        yield Case(f"no line end after data, {good_count}", (_in_chunks(good + b"5\r\nhelloworld\r\n0\r\n\r\n"),))
        yield Case(f"too short, {good_count}", (_in_chunks(good + b"3\r\nhello\r\n0\r\n\r\n"),))
        yield Case(f"too long, {good_count}", (_in_chunks(good + b"50\r\nhello\r\n0\r\n\r\n"),))
        yield Case(f"half a line end, {good_count}", (_in_chunks(good + b"5\r\nhello\r0\r\n\r\n"),))
        yield Case(f"a bad trailer, {good_count}", (_in_chunks(good + b"0\r\nno colon\r\n\r\n"),))
        yield Case(f"the largest, {good_count}", (_in_chunks(good + b"7FFFFFFFFFFFFFFF\r\nhello"),))


def _in_chunks(body: bytes) -> bytes:
    return answer(body, b"Transfer-Encoding: chunked", length=False)


def bad_length(dice: Random) -> Cases:
    values = (
        b"five", b"-5", b"-0", b"+5", b"5.0", b"5 5", b"5, 6", b"5,5,6", b"0x5", b"5;", b"'5'", b"5e0", b"", b"1" * 40,
        b"18446744073709551621", b"5\x00", b"\xef\xbc\x95", b"NaN", b"inf", b"5\t5",
    )  # fmt: skip
    for value in values:
        for end in (End.CLOSE, End.HOLD):
            headers = b"Content-Length: " + value
            yield Case(f"{value!r}, {end.value}", (answer(b"hello", headers, length=False),), end)
    for other in (0, 4, 6, 50, 10**9):
        two = (b"Content-Length: %d" % other, b"Content-Length: 5")
        yield Case(f"5 and {other}", (answer(b"hello", *two, length=False),))
        yield Case(f"{other} and 5", (answer(b"hello", *reversed(two), length=False),))
    for missing in (*range(1, 200), 10**6, 10**9, 2**31, 2**32 + 5, 2**63):
        text = text_of(dice, 20)
        headers = b"Content-Length: %d" % (len(text) + missing)
        yield Case(f"{missing} bytes missing", (answer(text, headers, length=False),))


def surplus(dice: Random) -> Cases:
    whole = answer(b"hello")
    for count in (*range(1, 100), 70_000):
        yield Case(f"{count} bytes", (whole + dice.randbytes(count),), End.KEEP)
    for turn in range(20):
        yield Case(f"another answer {turn}", (whole + answer(b"stale"),), End.KEEP)
        yield Case(f"a chunked one {turn}", (chunked(text_of(dice, 90)) + answer(b"stale"),), End.KEEP)
        yield Case(f"half another {turn}", (whole + answer(b"stale" * 9)[: 5 * turn + 1],), End.KEEP)
        for status in (b"204 No Content", b"304 Not Modified"):
            yield Case(f"{status!r} with a body {turn}", (answer(b"hello" * 5, status=status),), End.KEEP)
        size = 65_536 - len(answer(b"x" * 60_000)) + 60_000  # as much as is read at once, exactly
        yield Case(f"after 64 KiB {turn}", (answer(b"x" * size) + answer(b"stale"),), End.KEEP)
        yield Case(f"over tls {turn}", (whole, answer(b"stale")), End.KEEP, Door.HTTPS)  # a record each, sent as one


def late_surplus(dice: Random) -> Cases:
    for turn in range(10):
        for door in (Door.HTTP, Door.HTTPS):
            yield Case(f"{door.value} {turn}", (answer(b"hello"), 0.005, answer(b"stale")), End.KEEP, door)


def silent_close(dice: Random) -> Cases:
    for turn in range(10):
        for door in (Door.HTTP, Door.HTTPS):
            yield Case(f"{door.value} {turn}", (answer(b"hello"),), End.CLOSE, door)


def ambiguous(dice: Random) -> Cases:
    text = text_of(dice, 30)
    in_chunks = b"1e\r\n%s\r\n0\r\n\r\n" % text
    for coding in (b"chunked, chunked", b"chunked, gzip", b"gzip, chunked", b"xyz", b"identity", b"", b"chunke d"):
        yield Case(f"coding {coding!r}", (answer(in_chunks, b"Transfer-Encoding: " + coding, length=False),))
    for order in (1, -1):
        headers = (b"Transfer-Encoding: chunked", b"Content-Length: 5")[::order]
        yield Case(f"length and chunks {order}", (answer(in_chunks, *headers, length=False),), End.KEEP)
    for value in (b"30, 30", b"030", b" 30 ", b"0" * 30 + b"30"):
        yield Case(f"length {value!r}", (answer(text, b"Content-Length: " + value, length=False),), End.KEEP)
    yield Case("the same length twice", (answer(text, b"Content-Length: 30"),), End.KEEP)
    for line_end in (b"\n", b"\r\r\n"):
        yield Case(f"line end {line_end!r}", (answer(text).replace(b"\r\n", line_end),))
    yield Case("folded", (answer(text, b"X: y\r\n z"),))
    yield Case("empty lines first", (b"\r\n\r\n" + answer(text),))


def mutated(dice: Random) -> Cases:
    for turn in range(1200):
        name, whole = dice.choice(list(whole_answers(dice).items()))
        changed = bytearray(whole)
        for _ in range(dice.choice((1, 1, 2, 5))):
            changed[dice.randrange(len(changed))] = dice.randrange(256)
        yield Case(f"{name} {turn}", (bytes(changed),))


# What the body holds


def bad_coding(dice: Random) -> Cases:
    text = text_of(dice, 260)
    packed = {b"gzip": gzipped(text), b"deflate": zlib.compress(text), b"br": brotli.compress(text)}
    for coding, whole in packed.items():
        header = b"Content-Encoding: " + coding
        for cut in range(1, len(whole)):
            yield Case(f"{coding!r} of {cut} bytes", (answer(whole[:cut], header),), End.KEEP)
            yield Case(f"{coding!r} of {cut} bytes in chunks", (chunked(whole[:cut], header),), End.KEEP)
        for at in range(len(whole)):
            broken = bytearray(whole)
            broken[at] ^= 1 << dice.randrange(8)
            if not _reads(coding, bytes(broken)):
                yield Case(f"{coding!r} broken at {at}", (answer(bytes(broken), header),), End.KEEP)
        for turn in range(40):
            noise = b"\xff" + dice.randbytes(99)  # begins like none of them
            yield Case(f"noise as {coding!r} {turn}", (answer(noise, header),), End.KEEP)
    for name in (b"zstd", b"compress", b"bogus", b"gzip;q=1", b"gzip gzip", b"gzip, bogus", b"gzip, gzip", b"\xff"):
        yield Case(f"named {name!r}", (answer(gzipped(text), b"Content-Encoding: " + name),), End.KEEP)
        yield Case(f"plain, named {name!r}", (answer(text, b"Content-Encoding: " + name),), End.KEEP)


def _reads(coding: bytes, body: bytes) -> bool:
    """Whether Python's own decoder makes something of a body all the same."""
    try:
        {b"gzip": gzip.decompress, b"deflate": zlib.decompress, b"br": brotli.decompress}[coding](body)
    except (OSError, EOFError, zlib.error, brotli.error):
        return False
    return True


def bomb(dice: Random) -> Cases:
    zeros = bytes(100 << 20)
    packed = {b"gzip": gzip.compress(zeros, 1, mtime=0), b"deflate": zlib.compress(zeros, 1)}
    packed[b"br"] = brotli.compress(zeros, quality=1)
    for coding, body in packed.items():
        yield Case(f"{coding!r}", (answer(body, b"Content-Encoding: " + coding),), End.KEEP)
    twice = gzipped(packed[b"gzip"])
    yield Case("twice", (answer(twice, b"Content-Encoding: gzip, gzip"),), End.KEEP)
    yield Case("many codings", (answer(twice, b"Content-Encoding: " + b"gzip," * 9_000),), End.KEEP)


def odd_cookie(dice: Random) -> Cases:
    lines = (
        b"", b"=", b";", b"a", b"=b", b"a=", b"a=b; Expires=garbage", b"a=b; Expires=Thu, 99 Foo 99999 99:99:99 GMT",
        b"a=b; Max-Age=" + b"9" * 400, b"a=b; Max-Age=-" + b"9" * 400, b"a=b; Max-Age=x", b"a=b; Max-Age=\xb2",
        b"a=b; Domain=..", b"a=b; Domain=.", b"a=b; Domain=elsewhere.example", b"a=b; Path=", b"a=b; Path=x",
        b"a=b; Path=" + b"/" * 9000, b"a=b=c=d", b'a="b; c"', b"a=b;;;;;=;=;", b"a=\xff\xfe", b"\xe4=b", b"a=b\tc",
        b"a=" + b"x" * 100_000, b"x" * 100_000 + b"=b", b"a=b; Expires=Mon, 01 Jan 0000 00:00:00 GMT",
        b"a=b; Expires=Fri, 31 Dec 9999 23:59:59 -9999", b"a=b, c=d", b"__Host-a=b", b"__Secure-a=b; Domain=127.0.0.1",
    )  # fmt: skip
    for line in lines:
        yield Case(f"{line[:40]!r}", (answer(b"hello", b"Set-Cookie: " + line),), End.KEEP)
    many = [b"Set-Cookie: c%d=%d" % (number, number) for number in range(2000)]
    yield Case("two thousand", (answer(b"hello", *many),), End.KEEP)
    printable = bytes(code for code in range(32, 256) if code != 127)
    for turn in range(150):
        noise = bytes(dice.choices(printable, k=dice.randrange(1, 200)))
        odd = bytes(dice.choices(b'ab=;, "Expirs-Max:/.0123456789', k=80))
        yield Case(f"noise {turn}", (answer(b"hello", b"Set-Cookie: " + noise, b"Set-Cookie: " + odd),), End.KEEP)


# What leads elsewhere


def interim(dice: Random) -> Cases:
    for status in (b"100 Continue", b"102 Processing", b"103 Early Hints"):
        before = answer(b"", b"Link: </a.css>", status=status, length=False)
        whole = answer(text_of(dice, 50))
        for cut in range(0, len(whole), 3):
            yield Case(f"{status!r} and {cut} bytes", (before * (cut % 4 + 1) + whole[:cut],))
        for count in (200, 1000, 5000):
            yield Case(f"{count} times {status!r}", (before * count + whole,))


def interim_flood(dice: Random) -> Cases:
    for pause_s in (0, 0.02, 0.2):
        for status in (b"100 Continue", b"102 Processing", b"103 Early Hints", b"199 Odd"):
            yield Case(f"{status!r} every {pause_s} s", (Endless(answer(status=status, length=False), pause_s),))


def unasked_upgrade(dice: Random) -> Cases:
    for turn, protocol in enumerate((b"websocket", b"h2c", b"TLS/1.3", b"", b"HTTP/1.1") * 4):
        headers = (b"Connection: Upgrade", b"Upgrade: " + protocol)
        head = answer(b"", *headers, status=b"101 Switching Protocols", length=False)
        yield Case(f"{protocol!r} {turn}", (head + dice.randbytes(turn),), End.HOLD)
        yield Case(f"{protocol!r} {turn}, then an answer", (head + answer(b"hello"),), End.HOLD)


def _redirects(location: bytes) -> Iterator[tuple[str, bytes]]:
    for status in (301, 302, 303, 307, 308):
        yield f"{status} to {location[:40]!r}", answer(b"", b"Location: " + location, status=b"%d There" % status)


def bad_redirect(dice: Random) -> Cases:
    locations = (
        b"http://[", b"http://[::1", b"http://]", b"http://[x]/", b"javascript:alert(1)", b"data:text/html,x",
        b"mailto:a@b",  b"http://127.0.0.1:99999/", b"http://127.0.0.1:x/",
        b"http://127.0.0.1:-1/", b"file:///etc/passwd", b"ftp://127.0.0.1/", b"x:" + b"y" * 65_536, b"about:blank",
        b"http://:80/", b"http://@/", b"tel:1",
    )  # fmt: skip
    for location in locations:
        for name, redirect in _redirects(location):
            yield Case(name, (redirect,), End.KEEP)


def redirect_to_nowhere(dice: Random) -> Cases:
    locations = (
        b"http://127.0.0.1:1/", b"https://127.0.0.1:1/", b"http://" + b"a" * 64 + b"/", b"http://a..b/",
        b"http://.../", b"https://.a/", b"http://127.0.0.1:0/", b"http://" + b"a." * 200 + b"/",
    )  # fmt: skip
    for location in locations:
        for name, redirect in _redirects(location):
            yield Case(name, (redirect,), End.KEEP, sample_count=2)


def redirect_loop(dice: Random) -> Cases:
    everywhere = REDIRECT_LIMIT + 1
    for location in (b"?again", b"#here", b"?" + b"x" * 65_536):
        for name, redirect in _redirects(location):
            yield Case(name, (redirect,), End.KEEP, visit_count=everywhere, sample_count=everywhere)


# What never ends


def silence(dice: Random) -> Cases:
    for turn in range(40):
        yield Case(f"from the beginning {turn}", (), End.HOLD)
        yield Case(f"from the beginning, closed late {turn}", (3.0,), End.CLOSE)
    for name, whole in whole_answers(dice).items():
        for cut in range(1, len(whole), 5):
            yield Case(f"after {cut} bytes of {name}", (whole[:cut],), End.HOLD)


def slow_drip(dice: Random) -> Cases:
    long = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
    in_chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    drips = {
        "reason": (b"HTTP/1.1 200 ", b"x"),
        "header": (b"HTTP/1.1 200 OK\r\nX: ", b"x"),
        "headers": (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
        "body": (long, b"x"),
        "body until close": (answer(length=False), b"x"),
        "chunks": (in_chunks, b"1\r\nx\r\n"),
        "one chunk": (in_chunks + b"FFFFF\r\n", b"x"),
        "chunk size": (in_chunks, b"0"),
        "trailer": (in_chunks + b"0\r\nX: ", b"x"),
        "gzip": (long.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n"), b"\x1f"),
    }
    for name, (start, drop) in drips.items():
        for pause_s in (0.02, 0.05, 0.1, 0.2):
            for door in (Door.HTTP, Door.HTTPS):
                yield Case(f"{name} every {pause_s} s, {door.value}", (start, Endless(drop, pause_s)), door=door)
    yield Case("a body as fast as it goes", (long.replace(b"1000000", b"9" * 15), Endless(b"x" * 50_000, 0)))


# TLS


def bad_certificate(dice: Random) -> Cases:
    for turn in range(10):
        for door in (Door.SELF_SIGNED, Door.WRONG_NAME, Door.EXPIRED):
            yield Case(f"{door.value} {turn}", (answer(b"hello"),), door=door)


def bad_handshake(dice: Random) -> Cases:
    for words in (b"", answer(b"hello"), b"SSH-2.0-OpenSSH_9.6\r\n", b"\x15\x03\x03\x00\x02\x02\x28", bytes(400)):
        for end in (End.CLOSE, End.RESET, End.HALF_CLOSE):
            yield Case(f"{words[:20]!r}, {end.value}", (words,), end, Door.HANDSHAKE)
    for cut in range(1, 600, 5):
        for end in (End.CLOSE, End.RESET):
            yield Case(f"{end.value} after {cut} bytes", (), end, Door.HANDSHAKE, cut)
        yield Case(f"garbage after {cut} bytes", (b"\xff" + dice.randbytes(200),), End.CLOSE, Door.HANDSHAKE, cut)


def silent_handshake(dice: Random) -> Cases:
    for cut in range(0, 600, 15):
        yield Case(f"after {cut} bytes", (), End.HOLD, Door.HANDSHAKE, cut)


def tls_cut_off(dice: Random) -> Cases:
    for name, whole in whole_answers(dice).items():
        for cut in range(0, len(whole), 4):  # of more bytes, as encrypting adds some
            yield Case(f"{name} of {cut} bytes", (whole,), End.CLOSE, Door.HTTPS, cut)
        for cut in range(0, len(whole), 9):
            yield Case(f"{name} of {cut} plain bytes", (whole[:cut],), End.CLOSE, Door.HTTPS)
    for turn in range(20):  # without an orderly end nobody knows whether more was to come
        yield Case(f"until close {turn}", (until_close(dice),), End.CLOSE, Door.HTTPS, 10**6)


def tls_reset(dice: Random) -> Cases:
    for name, whole in whole_answers(dice).items():
        for cut in range(0, len(whole), 4):
            yield Case(f"{name} of {cut} bytes", (whole,), End.RESET, Door.HTTPS, cut)


def tls_silence(dice: Random) -> Cases:
    whole = answer(text_of(dice, 200))
    for cut in range(0, len(whole), 5):
        yield Case(f"after {cut} bytes", (whole,), End.HOLD, Door.HTTPS, cut)


_FAMILIES: Mapping[str, Callable[[Random], Cases]] = {
    made_by.__name__.replace("_", " "): made_by
    for made_by in (
        cut_off, reset, half_closed, hasty_close, hasty_answer, garbage, bad_status_line, odd_status, bad_header,
        endless_head, bad_chunk, bad_length, surplus, late_surplus, silent_close, ambiguous, mutated, bad_coding, bomb,
        odd_cookie, interim, interim_flood, unasked_upgrade, bad_redirect, redirect_to_nowhere, redirect_loop, silence,
        slow_drip, bad_certificate, bad_handshake, silent_handshake, tls_cut_off, tls_reset, tls_silence,
    )
}  # fmt: skip
