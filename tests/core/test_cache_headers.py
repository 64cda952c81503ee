"""What Cache-Status and X-Generated-At say, of our own edges and of anybody's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.cache_headers import cache_members, cache_status, generated_at
from loadgen.records import CACHE_STATUSES, CACHE_WORDS


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("c; hit", "hit"),
        ("c; hit; ttl=30", "hit"),
        ("c;hit;ttl=-3", "stale"),
        ("c; hit; ttl=-1; detail=STALE", "stale"),
        ("c; hit; detail=UPDATING", "stale"),
        ("c; fwd=uri-miss; collapsed", "collapsed"),
        ("c; fwd=uri-miss; collapsed=?0", "miss"),
        ("c; hit=?0; fwd=miss", "miss"),
        ("c; fwd=uri-miss; stored", "miss"),
        ("c; fwd=vary-miss", "miss"),
        ("c; fwd=stale; stored", "expired"),
        ("c; fwd=stale; fwd-status=200; stored", "expired"),
        ("c; fwd=stale; fwd-status=304", "revalidated"),
        ("c; fwd=bypass", "bypass"),
        ("c; fwd=method", "bypass"),
        ("c; fwd=request", "bypass"),
        ("c; detail=LOCAL", "local"),
        ("c; fwd=miss; detail=LOCAL", "miss"),
        ("C ; Hit", "hit"),
        ("c", "miss"),
        ('c; fwd=miss; detail="a, b; hit"', "miss"),
        ('c; fwd="stale"', "expired"),
    ],
)
def test_a_cache_says_in_one_member_what_it_did(value: str, word: str) -> None:
    [(name, found)] = cache_members(value.encode())
    assert (name.lower(), found) == ("c", word)


@pytest.mark.parametrize(
    ("value", "members", "status"),
    [
        ("", (), "none"),
        (" , ;, ", (), "none"),
        ("shield; hit, pop; fwd=uri-miss; stored", (("shield", "hit"), ("pop", "miss")), "hit"),
        ("shield; hit; ttl=-1, pop; fwd=stale; stored", (("shield", "stale"), ("pop", "expired")), "stale"),
        ("shield; fwd=miss; collapsed, pop; fwd=miss", (("shield", "collapsed"), ("pop", "miss")), "collapsed"),
        ("shield; fwd=uri-miss, pop; fwd=uri-miss", (("shield", "miss"), ("pop", "miss")), "miss"),
        ("cache; fwd=bypass", (("cache", "bypass"),), "miss"),
        ("cache; fwd=stale; fwd-status=304", (("cache", "revalidated"),), "miss"),
        ("front; detail=LOCAL", (("front", "local"),), "none"),
        ("cache; fwd=miss, front; detail=LOCAL", (("cache", "miss"), ("front", "local")), "miss"),
        ('"a, \\"b\\"; hit" ;fwd=miss, "c";hit', (("c", "hit"),), "hit"),
        ('"un, closed; hit', (("un, closed; hit", "miss"),), "miss"),
    ],
)
def test_a_shopper_got_from_the_caches_what_the_first_that_had_it_gave(
    value: str, members: tuple[tuple[str, str], ...], status: str
) -> None:
    assert cache_members(value.encode()) == members
    assert cache_status(members) == status


def test_what_was_stored_with_an_answer_tells_of_another_request() -> None:
    assert cache_members(b"shield; fwd=uri-miss; stored, pop; hit") == (("pop", "hit"),)
    assert cache_members(b"shield; hit, pop; fwd=miss; collapsed") == (("pop", "collapsed"),)
    assert cache_members(b"a; hit, b; hit, c; fwd=miss") == (("b", "hit"), ("c", "miss"))


def test_of_many_caches_those_nearest_to_the_shopper_are_told() -> None:
    value = ", ".join(f"c{number}; fwd=miss" for number in range(100_000))
    assert cache_members(value.encode()) == tuple((f"c{number}", "miss") for number in range(99_992, 100_000))


@given(st.one_of(st.binary(), st.text('",;=\\ ?0hit').map(str.encode)))
def test_no_value_is_too_odd(value: bytes) -> None:
    members = cache_members(value)
    assert {word for _, word in members} <= set(CACHE_WORDS)
    assert cache_status(members) in CACHE_STATUSES


@pytest.mark.parametrize(
    ("line", "seconds"),
    [
        ("X-Generated-At: 1795421703.500", 1795421703.5),
        ("x-generated-at: 999.250", 999.25),
        ("X-Generated-At: 1795421703", 1795421703.0),
        ("X-Generated-At: yesterday", None),
        ("X-Generated-At: ", None),
        ("X-Generated-At: nan", None),
        ("X-Generated-At: -5.000", None),
        ("X-Generated-At: 1e300", None),
        ("Age: 3", None),
    ],
)
def test_an_answer_says_when_it_was_made(line: str, seconds: float | None) -> None:
    head = f"HTTP/1.1 200 OK\r\nServer: x\r\n{line}\r\nX-Request-ID: 7\r\n".encode()
    assert generated_at(head) == seconds
    assert generated_at(f"HTTP/1.1 200 OK\r\n{line}\r\n".encode()) == seconds
