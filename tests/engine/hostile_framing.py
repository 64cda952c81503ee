"""Bad answers whose bytes are wrong: connections that end, what is no HTTP, and how long the answer is."""

from tests.engine.hostile_cases import (
    Case,
    Cases,
    Door,
    End,
    Endless,
    Random,
    answer,
    chunked,
    text_of,
    until_close,
    whole_answers,
)

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


FAMILIES = (
    cut_off, reset, half_closed, hasty_close, hasty_answer, garbage, bad_status_line, odd_status, bad_header,
    endless_head, bad_chunk, bad_length, surplus, late_surplus, silent_close, ambiguous, mutated,
)  # fmt: skip
