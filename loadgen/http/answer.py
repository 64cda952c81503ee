"""From the bytes of a connection to HTTP/1.1 answers (RFC 9112), by httptools: status, head, raw body.

A reader is lent to a request from the first byte of its answer to the last, so that waiting shoppers hold none.
httptools checks and frames; the head is kept as it came, since most of its fields are never looked at.
"""

import httptools

MOST_HEAD_BYTES = 256 * 1024  # as Chromium bounds it
MOST_KEPT_BYTES = 16 * 1024 * 1024  # of a body; what comes beyond is counted and thrown away
_MOST_INTERIM = 20
_ENDLESS = f"a head larger than {MOST_HEAD_BYTES // 1024} KiB"
_FRAMING_PER_BODY_BYTE = 8  # a chunk of one byte comes in six; more is an endless head, trailer or extension


class BadAnswer(Exception):
    """The server's bytes are no whole HTTP answer: malformed, cut off, or without end."""


class AnswerReader:
    """Reads one answer after another. `complete` turns true with the last byte of one, `spoiled` when more came."""

    __slots__ = (
        "_fed_bytes",
        "_interim_count",
        "_parser",
        "_start",
        "_stays_open",
        "body",
        "body_bytes",
        "complete",
        "head_only",
        "spoiled",
        "status",
    )

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self.begin()

    def begin(self) -> None:
        """Get ready for the next answer, and let go of the last."""
        self.status = 0
        self.body: list[bytes] = []
        self.body_bytes = 0
        self.complete = self.spoiled = self._stays_open = False
        self.head_only = False  # true when it answers a HEAD request, and so has no body
        self._start = b""
        self._fed_bytes = self._interim_count = 0

    def feed(self, data: bytes) -> None:
        """Take in what came from the connection; BadAnswer when it cannot be part of an answer."""
        if not self.status:
            # Empty lines before the status line are passed over (RFC 9112 section 2.2), by httptools too.
            self._start = self._start + data if self._start else data.lstrip(b"\r\n")
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self.spoiled = True
            if self.complete:  # what follows a whole answer spoils the connection, not the answer
                return
            cause = error.__context__
            raise cause if isinstance(cause, BadAnswer) else BadAnswer(f"not an HTTP answer: {error}") from None
        if not self.complete:
            self._fed_bytes += len(data)
            if self._fed_bytes - _FRAMING_PER_BODY_BYTE * self.body_bytes > MOST_HEAD_BYTES:
                raise BadAnswer(_ENDLESS)

    def end(self) -> None:
        """The server closed the connection: that ends an answer without a length, else BadAnswer."""
        self.spoiled = True
        if self.complete:
            return
        if not self.status:
            raise BadAnswer("the server closed the connection before an answer came")
        head = self.head.lower()
        if b"\ncontent-length:" in head or b"\ntransfer-encoding:" in head:
            raise BadAnswer("the server closed the connection in the middle of an answer")
        self.complete = True

    @property
    def head(self) -> bytes:
        """Status line and fields of the answer, without those of interim ones, up to the last field's line end."""
        start = self._start
        if self._interim_count:
            for _ in range(self._interim_count):
                start = start.partition(b"\r\n\r\n")[2]
        return start[: start.find(b"\r\n\r\n") + 2]

    @property
    def reusable(self) -> bool:
        """Whether another answer may follow on the same connection, for this reader to read."""
        return self._stays_open and not self.spoiled

    def on_message_begin(self) -> None:
        """The first byte of an answer, called by httptools like the methods below."""
        if self.complete:
            raise BadAnswer("more came than was asked for")

    def on_headers_complete(self) -> None:
        """The end of the head."""
        status = self._parser.get_status_code()
        if status >= 200:
            if not self._start.startswith(b"HTTP/1."):
                raise BadAnswer(f"an answer of {self._start[:9].decode('latin-1')!r}, not of HTTP/1.0 or 1.1")
            # Fed before: the head came in several pieces, of which the last may end the answer too.
            if self._fed_bytes and len(self.head) > MOST_HEAD_BYTES:
                raise BadAnswer(_ENDLESS)
            self.status = status
            self.complete = self.head_only
            return
        if status < 100 or status == 101:
            raise BadAnswer(f"the server answered {status}, which nobody asked for")
        self._interim_count += 1  # 100 Continue, 103 Early Hints
        if self._interim_count > _MOST_INTERIM:
            raise BadAnswer(f"more than {_MOST_INTERIM} interim answers")

    def on_body(self, data: bytes) -> None:
        """A piece of the body."""
        if self.body_bytes < MOST_KEPT_BYTES:
            self.body.append(data)
        self.body_bytes += len(data)

    def on_message_complete(self) -> None:
        """The end of an answer, or of an interim one."""
        if self.status:
            self.complete = True
            self._stays_open = not self.head_only and self._parser.should_keep_alive()  # afterwards it forgets
