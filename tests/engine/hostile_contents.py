"""Bad answers that arrive, or never do: what the body holds, what leads elsewhere, what never ends, and TLS."""

import gzip
import zlib
from collections.abc import Iterator

import brotli

from tests.engine.hostile_cases import (
    Case,
    Cases,
    Door,
    End,
    Endless,
    Random,
    answer,
    chunked,
    gzipped,
    text_of,
    until_close,
    whole_answers,
)

REDIRECT_LIMIT = 20

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
        b"http://" + b"a" * 64 + b"/", b"http://a..b/", b"http://.../", b"https://.a/",  # no name can be looked up
    )  # fmt: skip
    for location in locations:
        for name, redirect in _redirects(location):
            yield Case(name, (redirect,), End.KEEP)


def redirect_to_nowhere(dice: Random) -> Cases:
    locations = (
        b"http://127.0.0.1:1/", b"https://127.0.0.1:1/", b"http://127.0.0.1:0/", b"http://" + b"a." * 200 + b"/",
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


FAMILIES = (
    bad_coding, bomb, odd_cookie, interim, interim_flood, unasked_upgrade, bad_redirect, redirect_to_nowhere,
    redirect_loop, silence, slow_drip, bad_certificate, bad_handshake, silent_handshake, tls_cut_off,
    tls_reset, tls_silence,
)  # fmt: skip
