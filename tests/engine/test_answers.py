import gzip
import zlib
from collections.abc import Iterable

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.failures import failure_class
from loadgen.http.answer import MOST_HEAD_BYTES, MOST_KEPT_BYTES, AnswerReader, BadAnswer
from loadgen.http.coding import decoded
from loadgen.http.heads import Headers, field_values
from tests.engine.raw_server import OK, Peer, closing, fields, line, raw_server, shopper


def read(data: bytes | Iterable[bytes], *, ends: bool = False, head_only: bool = False) -> AnswerReader:
    """A reader that was fed these pieces, and perhaps the end of the stream."""
    reader = AnswerReader()
    reader.head_only = head_only
    for piece in [data] if isinstance(data, bytes) else data:
        reader.feed(piece)
    if ends:
        reader.end()
    return reader


def shown(reader: AnswerReader) -> tuple[bool, int, bytes, bool]:
    return reader.complete, reader.status, b"".join(reader.body), reader.reusable


def chunked(*chunks: bytes, trailer: bytes = b"") -> bytes:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n" + trailer + b"\r\n"


@pytest.mark.parametrize(
    ("answer", "status", "body", "reusable"),
    [
        (OK, 200, b"ok", True),
        (b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", 200, b"", True),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b"", True),
        (b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n", 304, b"", True),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 100\r\n\r\n", 304, b"", True),
        (b"HTTP/1.1 599 Own\r\nContent-Length: 1\r\n\r\nx", 599, b"x", True),
        (chunked(b"ab", b"c" * 20), 200, b"ab" + b"c" * 20, True),
        (chunked(), 200, b"", True),
        (chunked(b"ab", trailer=b"X-Sum: 1\r\nServer-Timing: db;dur=3\r\n"), 200, b"ab", True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nok\r\n0;x\r\n\r\n", 200, b"ok", True),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, 200, b"ok", True),
        (b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" + OK, 200, b"ok", True),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", 200, b"ok", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, b"ok", False),
        (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", 200, b"ok", True),
    ],
)
def test_an_answer_is_read_the_same_however_it_is_cut(answer: bytes, status: int, body: bytes, reusable: bool) -> None:
    whole = read(answer)
    assert shown(whole) == (True, status, body, reusable)
    assert shown(read(answer[at : at + 1] for at in range(len(answer)))) == (True, status, body, reusable)
    for cut in range(1, len(answer)):
        reader = read([answer[:cut], answer[cut:]])
        assert (shown(reader), reader.head) == (shown(whole), whole.head)
    assert whole.body_bytes == len(body)


def test_nothing_is_complete_before_its_last_byte() -> None:
    assert [read(OK[:size]).complete for size in range(1, len(OK) + 1)] == [False] * (len(OK) - 1) + [True]


@pytest.mark.parametrize(
    "answer", [OK, chunked(b"abc"), b"HTTP/1.1 204 No\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n" + OK]
)
def test_a_reader_reads_one_answer_after_another(answer: bytes) -> None:
    reader = read(answer)
    for _ in range(3):
        first = shown(reader), reader.head, reader.body_bytes
        reader.begin()
        reader.feed(answer)
        assert (shown(reader), reader.head, reader.body_bytes) == first


@pytest.mark.parametrize("piece_bytes", [1_000, 65_536, 262_144])
def test_a_head_above_the_limit_is_refused_however_it_is_cut(piece_bytes: int) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: " + b"x" * (MOST_HEAD_BYTES + 30_000) + b"\r\n\r\n"
    pieces = [answer[at : at + piece_bytes] for at in range(0, len(answer), piece_bytes)]
    with pytest.raises(BadAnswer, match="256 KiB"):
        feed_all(AnswerReader(), pieces)


def feed_all(reader: AnswerReader, pieces: Iterable[bytes]) -> None:
    for piece in pieces:
        reader.feed(piece)


def test_the_head_is_the_final_answers() -> None:
    answer = (
        b"HTTP/1.1 100 Continue\r\nA: 1\r\n\r\nHTTP/1.1 103 Early Hints\r\nB: 2\r\n\r\nHTTP/1.1 404 Gone\r\nC: 3\r\n"
    )
    reader = read(answer + b"Content-Length: 0\r\n\r\n")
    assert (reader.status, reader.head) == (404, b"HTTP/1.1 404 Gone\r\nC: 3\r\nContent-Length: 0\r\n")


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 404 Not Found\r\n\r\n",
    ],
)
def test_the_answer_to_a_head_request_ends_with_its_head(head: bytes) -> None:
    assert shown(read(head, head_only=True))[:3] == (True, int(head[9:12]), b"")


def test_an_answer_without_a_length_ends_with_the_connection() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n"
    assert shown(read([head, b"a", b"b"])) == (False, 200, b"ab", False)
    assert shown(read([head, b"a", b"b"], ends=True)) == (True, 200, b"ab", False)
    assert shown(read(head, ends=True)) == (True, 200, b"", False)


@pytest.mark.parametrize("surplus", [b"x", OK, b"HTTP/1.1 408 Request Timeout\r\n\r\n", b"\x00"])
@pytest.mark.parametrize("answer", [OK, chunked(b"ok"), b"HTTP/1.1 204 No Content\r\n\r\n"])
def test_what_follows_an_answer_spoils_the_connection_but_not_the_answer(answer: bytes, surplus: bytes) -> None:
    clean, reader = read(answer), read(answer + surplus)
    assert shown(reader) == (*shown(clean)[:3], False)
    assert reader.head == clean.head


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 OK\r\n\r\n",
        b"HTTP/1.1 99 Low\r\n\r\n",
        b"HTTP/1.1 2000 High\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n folded: first\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nokay\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        b"\x16\x03\x01\x00\xa5",
    ],
)
def test_what_is_no_answer_is_refused(data: bytes) -> None:
    with pytest.raises(BadAnswer):
        read(data, ends=True)
    with pytest.raises(BadAnswer):
        read((data[at : at + 1] for at in range(len(data))), ends=True)


@pytest.mark.parametrize(
    "answer",
    [OK, chunked(b"abc"), b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", b"HTTP/1.1 100 Continue\r\n\r\n" + OK],
)
def test_an_answer_that_is_cut_off_is_refused(answer: bytes) -> None:
    for size in range(len(answer)):
        with pytest.raises(BadAnswer, match="the server closed the connection"):
            read([answer[:size]] if size else [], ends=True)


FIELD = b"X-A: " + b"a" * 1017 + b"\r\n"  # of 1 KiB


def test_a_head_without_end_is_refused() -> None:
    with pytest.raises(BadAnswer, match="larger than 256 KiB"):
        read([b"HTTP/1.1 200 OK\r\n", *[FIELD] * (MOST_HEAD_BYTES // 1024 + 1)])


def test_a_trailer_without_end_is_refused() -> None:
    with pytest.raises(BadAnswer, match="larger than 256 KiB"):
        read([chunked(b"abc")[:-2], *[FIELD] * (MOST_HEAD_BYTES // 1024 + 1)])


def test_interim_answers_without_end_are_refused() -> None:
    assert read(b"HTTP/1.1 100 Continue\r\n\r\n" * 20 + OK).status == 200
    with pytest.raises(BadAnswer, match="more than 20 interim answers"):
        read(b"HTTP/1.1 100 Continue\r\n\r\n" * 21 + OK)


def test_the_smallest_chunks_are_a_body_and_no_endless_head() -> None:
    reader = read([chunked()[: -len(b"0\r\n\r\n")], *[b"1\r\nx\r\n" * 1000] * 100, b"0\r\n\r\n"])
    assert (reader.complete, reader.body_bytes) == (True, 100_000)


def test_a_large_body_is_counted_in_full_and_kept_in_part() -> None:
    size = MOST_KEPT_BYTES + 3 * 65536
    reader = read(
        [b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size, *[bytes(65536)] * (size // 65536)],
    )
    assert (reader.complete, reader.body_bytes, sum(map(len, reader.body))) == (True, size, MOST_KEPT_BYTES)


@given(st.binary(max_size=300), st.integers(0, 300))
def test_no_bytes_raise_anything_but_bad_answer(garbage: bytes, at: int) -> None:
    answer = chunked(b"abc", trailer=b"A: b\r\n")
    for data in (garbage, answer[:at] + garbage, answer[:at] + garbage + answer[at:]):
        try:
            reader = read(data, ends=True)
        except BadAnswer:
            continue
        assert 200 <= reader.status <= 999
        assert Headers(reader.head) is not None


@pytest.mark.parametrize("start", [b"\r\n", b"\r\n\r\n"])
def test_blank_lines_before_an_answer_do_not_hide_its_head(start: bytes) -> None:
    try:
        reader = read(start + OK)
    except BadAnswer:
        return
    assert Headers(reader.head)["content-length"] == "2"


def test_line_ends_without_carriage_return_are_refused_or_read() -> None:
    try:
        reader = read(b"HTTP/1.1 200 OK\nContent-Length: 2\nX-A: 1\n\nok", ends=True)
    except BadAnswer:
        return
    assert dict(Headers(reader.head)) == {"content-length": "2", "x-a": "1"}


HEAD = b"HTTP/1.1 200 OK\r\nVary: a\r\nX-Empty:\r\nvary:  b \r\nX-Vary: c\r\nLong: 1,\r\n 2\r\nX-Name: \xfc: y\r\n"


def test_fields_are_found_by_name_in_any_case_and_joined() -> None:
    headers = Headers(HEAD)
    assert dict(headers) == {"vary": "a, b", "x-empty": "", "x-vary": "c", "long": "1, 2", "x-name": "ü: y"}
    assert (headers["VARY"], headers.get("X-Name"), headers.get("none"), "Long" in headers, len(headers)) == (
        "a, b",
        "ü: y",
        None,
        True,
        5,
    )


@pytest.mark.parametrize(
    ("name", "values"), [(b"vary", b"a, b"), (b"x-empty", b""), (b"x-vary", b"c"), (b"none", b""), (b"http/1.1", b"")]
)
def test_one_fields_values_are_found_without_taking_the_head_apart(name: bytes, values: bytes) -> None:
    assert field_values(HEAD, HEAD.lower(), b"\n" + name + b":") == values


def test_no_answer_has_no_fields() -> None:
    assert dict(Headers(b"")) == {}


TEXT = b"<html>" + b"price 12.90 " * 500 + b"</html>"


def deflated(text: bytes) -> bytes:
    """Without zlib's header, as some servers send it."""
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(text) + packer.flush()


CODED = {
    "gzip": gzip.compress(TEXT),
    "x-gzip": gzip.compress(TEXT),
    "GZIP": gzip.compress(TEXT),
    "deflate": zlib.compress(TEXT),
    "br": brotli.compress(TEXT),
    "identity": TEXT,
    "": TEXT,
    "gzip, br": brotli.compress(gzip.compress(TEXT)),
    " br ,identity": brotli.compress(TEXT),
}


@pytest.mark.parametrize(("coding", "body"), CODED.items())
def test_a_body_is_decoded(coding: str, body: bytes) -> None:
    assert decoded(body, coding) == TEXT


@pytest.mark.parametrize("text", [TEXT, b"a", b"x" * 100_000, bytes(range(256)) * 40])
@pytest.mark.parametrize("level", [0, 1, 6, 9])
def test_deflate_is_understood_with_and_without_zlibs_header(text: bytes, level: int) -> None:
    packer = zlib.compressobj(level, wbits=-zlib.MAX_WBITS)
    assert decoded(packer.compress(text) + packer.flush(), "deflate") == text
    assert decoded(zlib.compress(text, level), "deflate") == text


def test_a_gzip_body_may_have_several_members() -> None:
    assert decoded(gzip.compress(b"first ") + gzip.compress(b"second"), "gzip") == b"first second"


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "gzip, br", "zstd"])
def test_no_body_needs_no_decoding(coding: str) -> None:
    assert decoded(b"", coding) == b""


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br"])
def test_a_body_that_is_cut_short_is_refused(coding: str) -> None:
    body = CODED[coding]
    for size in (1, len(body) // 2, len(body) - 1):
        with pytest.raises(BadAnswer):
            decoded(body[:size], coding)


def test_a_raw_deflate_body_that_is_cut_short_is_refused() -> None:
    with pytest.raises(BadAnswer, match="cut short"):
        decoded(deflated(TEXT)[:-5], "deflate")


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br"])
def test_a_body_that_is_not_in_its_coding_is_refused(coding: str) -> None:
    with pytest.raises(BadAnswer, match=f"the body is not {coding}"):
        decoded(b"\xff" * 50, coding)


def test_a_gzip_body_with_a_wrong_checksum_is_refused() -> None:
    with pytest.raises(BadAnswer, match="the body is not gzip"):
        decoded(CODED["gzip"][:-8] + b"\x00" * 8, "gzip")


def test_a_coding_that_nobody_asked_for_is_refused() -> None:
    with pytest.raises(BadAnswer, match="'zstd', which was not asked for"):
        decoded(b"x", "zstd")


@given(st.sampled_from(["gzip", "deflate", "br", "gzip, deflate"]), st.binary(min_size=1))
def test_garbage_raises_nothing_but_bad_answer(coding: str, garbage: bytes) -> None:
    for body in (garbage, CODED.get(coding, b"")[:30] + garbage):
        try:
            decoded(body, coding)
        except BadAnswer:
            continue


BOMB = bytes(MOST_KEPT_BYTES * 3)


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(BOMB)),
        ("deflate", zlib.compress(BOMB)),
        ("deflate", deflated(BOMB)),
        ("br", brotli.compress(BOMB, quality=1)),
        ("gzip, gzip", gzip.compress(gzip.compress(BOMB))),
    ],
    ids=["gzip", "zlib", "deflate", "br", "twice"],
)
def test_a_decompression_bomb_is_bounded(coding: str, body: bytes) -> None:
    assert len(body) < MOST_KEPT_BYTES // 100
    assert len(decoded(body, coding)) == MOST_KEPT_BYTES


def test_a_small_body_that_reads_as_a_large_one_is_not_remembered() -> None:
    body = gzip.compress(bytes(2_000_000))
    assert len(body) < 2000
    assert decoded(body, "gzip") is not decoded(body, "gzip")


@pytest.mark.parametrize("coding", ["gzip", "deflate", "raw deflate", "br"])
@pytest.mark.parametrize("beyond", [-1, 0, 1, 10, 258])
def test_a_body_of_about_the_most_that_is_kept_is_no_damaged_one(coding: str, beyond: int) -> None:
    text = bytes(MOST_KEPT_BYTES + beyond)
    packed = {
        "gzip": lambda: gzip.compress(text, 1),
        "deflate": lambda: zlib.compress(text, 1),
        "raw deflate": lambda: deflated(text),
        "br": lambda: brotli.compress(text, quality=1),
    }[coding]()
    assert len(decoded(packed, coding.rsplit(maxsplit=1)[-1])) == min(MOST_KEPT_BYTES, len(text))


def with_coding(body: bytes, coding: str) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\nContent-Length: %d\r\n\r\n%s" % (
        coding.encode(),
        len(body),
        body,
    )


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br"])
def test_a_page_is_decoded_and_its_bytes_on_the_wire_are_counted(coding: str) -> None:
    with raw_server(with_coding(CODED[coding], coding)) as server, shopper(server.url) as (client, _):
        page = client.get("/")
    assert (page.content, page.text, page.body_bytes) == (TEXT, TEXT.decode(), len(CODED[coding]))
    assert fields(server.requests[0], "accept-encoding") == ["gzip, deflate, br"]


def test_a_damaged_page_is_a_failed_sample_and_its_connection_is_used_again() -> None:
    bad = with_coding(CODED["gzip"][:-20], "gzip")
    with raw_server(bad) as server, shopper(server.url) as (client, samples):
        pages = [client.get("/"), client.get("/")]
    assert [(page.status_code, page.content, page.text, page.ok) for page in pages] == [(200, None, "", True)] * 2
    assert [failure_class(sample["exception"], 200) for sample in samples] == ["protocol"] * 2
    assert [sample["response_length"] for sample in samples] == [0, 0]
    assert (server.connection_count, len(server.requests)) == (1, 2)


def test_a_body_in_pieces_until_the_connection_closes_is_one_page() -> None:
    def script(peer: Peer) -> None:
        peer.request()
        for piece in (b"HTTP/1.1 200 OK\r\n", b"\r\n<ht", b"ml>"):
            peer.send(piece)

    with raw_server(script) as server, shopper(server.url) as (client, samples):
        assert [client.get("/").text for _ in range(2)] == ["<html>"] * 2
    assert (server.connection_count, [sample["exception"] for sample in samples]) == (2, [None, None])


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 200", OK[:-1], chunked(b"abc")[:-5], b"hello", b"HTTP/1.1 101 Up\r\n\r\n"]
)
def test_what_is_no_whole_answer_is_a_failed_sample_of_class_protocol(answer: bytes) -> None:
    with raw_server(closing(answer)) as server, shopper(server.url) as (client, samples):
        response = client.get("/")
    assert (response.status_code, response.content, response.text, dict(response.headers)) == (0, None, "", {})
    assert [failure_class(sample["exception"], 0) for sample in samples] == ["protocol"]
    assert [line(request) for request in server.requests] == ["GET /"]


def test_a_page_larger_than_what_is_kept_is_a_good_sample() -> None:
    size = MOST_KEPT_BYTES + 5_000_000
    with (
        raw_server(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + bytes(size)) as server,
        shopper(server.url) as (client, samples),
    ):
        page = client.get("/")
    assert page.content is not None
    assert (page.body_bytes, samples[0]["exception"]) == (size, None)
    assert MOST_KEPT_BYTES <= len(page.content) <= MOST_KEPT_BYTES + 65536
