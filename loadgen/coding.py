"""Bodies as they came and as they read: gzip, deflate and br (RFC 9110 section 8.4.1), bounded."""

import zlib

import brotli

from loadgen.answer import MOST_KEPT_BYTES, BadAnswer


def decoded(body: bytes, coding: str) -> bytes:
    """A body without its content coding, at most MOST_KEPT_BYTES of it.

    BadAnswer when it is damaged, cut short, or in a coding that was not asked for.
    """
    for name in reversed(coding.split(",")):
        body = _decode(body, name.strip().lower())
    return body


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
    inflater = zlib.decompressobj(window_bits)
    text = inflater.decompress(body, MOST_KEPT_BYTES)
    if not inflater.eof and not inflater.unconsumed_tail and len(body) < MOST_KEPT_BYTES:
        raise BadAnswer("the compressed body is cut short")
    return text


def _unbrotli(body: bytes) -> bytes:
    decompressor = brotli.Decompressor()
    text: bytes = decompressor.process(body, output_buffer_limit=MOST_KEPT_BYTES)
    if not decompressor.is_finished() and max(len(text), len(body)) < MOST_KEPT_BYTES:
        raise BadAnswer("the compressed body is cut short")
    return text[:MOST_KEPT_BYTES]


def _has_zlib_header(body: bytes) -> bool:
    # RFC 1950 section 2.2: method 8, and the first two bytes a multiple of 31.
    return len(body) > 1 and body[0] & 0x0F == 8 and int.from_bytes(body[:2]) % 31 == 0
