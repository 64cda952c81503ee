"""Bodies as they came and as they read: gzip, deflate and br (RFC 9110 section 8.4.1), bounded."""

import zlib
from functools import lru_cache

import brotli

from loadgen.http.answer import MOST_KEPT_BYTES, BadAnswer

_REMEMBERED_BYTES = 64 * 1024
_MOST_KNOWN = 512


def decoded(body: bytes, coding: str) -> bytes:
    """A body without its content coding, at most MOST_KEPT_BYTES of it.

    BadAnswer when it is damaged, cut short, or in a coding that was not asked for.
    """
    if len(body) >= _REMEMBERED_BYTES:
        return _decoded(body, coding)
    known = _known.get((body, coding))
    if known is None:
        known = _decoded(body, coding)
        if len(known) < 4 * _REMEMBERED_BYTES:  # a bomb is small, too
            if len(_known) >= _MOST_KNOWN:
                del _known[next(iter(_known))]
            _known[body, coding] = known
    return known


def as_text(body: bytes, charset: str) -> str:
    """A body as text; UTF-8 for a charset that nobody knows."""
    return _text_before(body, charset) if len(body) < _REMEMBERED_BYTES else _as_text(body, charset)


def _decoded(body: bytes, coding: str) -> bytes:
    for name in reversed(coding.split(",")):
        body = _decode(body, name.strip().lower())
    return body


def _as_text(body: bytes, charset: str) -> str:
    try:
        return body.decode(charset, "replace")
    except (LookupError, UnicodeError):
        return body.decode("utf-8", "replace")


# A shop's pages come again and again: the same bytes give the same text, and the very same object, whose readers may
# remember it in turn.
_text_before = lru_cache(maxsize=_MOST_KNOWN)(_as_text)
_known: dict[tuple[bytes, str], bytes] = {}


def _decode(body: bytes, name: str) -> bytes:
    if name in ("", "identity") or not body:
        return body
    try:
        match name:
            case "gzip" | "x-gzip":
                return _inflate(body, 16 + zlib.MAX_WBITS)
            case "deflate":  # meant with zlib's header, and sent without by some
                return _inflate(body, zlib.MAX_WBITS if _has_zlib_header(body) else -zlib.MAX_WBITS)
            case "br":
                return _unbrotli(body)
    except (zlib.error, brotli.error) as error:
        raise BadAnswer(f"the body is not {name}: {error}") from None
    raise BadAnswer(f"the body is in the coding {name[:40]!r}, which was not asked for")


def _inflate(body: bytes, window_bits: int) -> bytes:
    text = b""
    while body:  # gzip may come in several members (RFC 1952 section 2.2)
        inflater = zlib.decompressobj(window_bits)
        text += inflater.decompress(body, MOST_KEPT_BYTES - len(text) or 1)
        if len(text) >= MOST_KEPT_BYTES or len(body) >= MOST_KEPT_BYTES:
            break
        if not inflater.eof:
            raise BadAnswer("the compressed body is cut short")
        body = inflater.unused_data
    return text[:MOST_KEPT_BYTES]


def _unbrotli(body: bytes) -> bytes:
    decompressor = brotli.Decompressor()
    text: bytes = decompressor.process(body, output_buffer_limit=MOST_KEPT_BYTES)
    if not decompressor.is_finished() and max(len(text), len(body)) < MOST_KEPT_BYTES:
        raise BadAnswer("the compressed body is cut short")
    return text[:MOST_KEPT_BYTES]


def _has_zlib_header(body: bytes) -> bool:
    # RFC 1950 section 2.2: method 8, and the first two bytes a multiple of 31.
    return len(body) > 1 and body[0] & 0x0F == 8 and int.from_bytes(body[:2]) % 31 == 0
