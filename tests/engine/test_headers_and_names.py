import http.client
import ssl

import gevent
import pytest
import requests
from geventhttpclient.useragent import RetriesExceeded
from locust.exception import CatchResponseError

from loadgen.cache_headers import header, is_shared
from loadgen.failures import failure_class
from loadgen.gate import RefusedConnection
from loadgen.page_kinds import PageKinds


@pytest.mark.parametrize(
    ("value", "shared"),
    [
        ("public, max-age=60", True),
        ("max-age=60", True),
        ("s-maxage=10", True),
        ("Public", True),
        ("private, max-age=60", False),
        ("no-store", False),
        ("public, no-store", False),
        ("no-cache", False),
        ("", False),
    ],
)
def test_what_a_shared_cache_may_keep(value: str, *, shared: bool) -> None:
    assert is_shared(value) is shared


def test_a_header_that_comes_twice_is_one_value() -> None:
    assert header({"cache-status": ["a; hit", "b; hit"]}, "cache-status") == "a; hit, b; hit"
    assert header(None, "cache-status") == ""


def _caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "status", "name"),
    [
        (RefusedConnection("no"), 0, "refused"),
        (requests.ConnectionError(_caused(OSError("wrapped"), RefusedConnection("no"))), 0, "refused"),
        (RetriesExceeded("http://x", 0, original=TimeoutError("late")), 0, "timeout"),
        (gevent.Timeout(1), 0, "timeout"),
        (requests.ReadTimeout("late"), 0, "timeout"),
        (ssl.SSLCertVerificationError("self-signed"), 0, "tls"),
        (ConnectionRefusedError(111, "refused"), 0, "connect"),
        (ConnectionResetError(104, "reset"), 200, "connect"),
        (requests.ConnectionError("no route"), 0, "connect"),
        (OSError(113, "no route to host"), 0, "connect"),
        (http.client.IncompleteRead(b""), 200, "protocol"),
        (requests.exceptions.ChunkedEncodingError("torn"), 200, "protocol"),
        (CatchResponseError("no price"), 200, "content"),
        (KeyError("price"), 200, "content"),
        (CatchResponseError("sold out"), 409, "http_4xx"),
        (CatchResponseError("down"), 503, "http_5xx"),
        (ValueError("never sent"), 0, "other"),
    ],
)
def test_why_a_request_failed(error: BaseException, status: int, name: str) -> None:
    assert failure_class(error, status) == name


def test_a_cause_that_is_its_own_cause_ends() -> None:
    error = ValueError("circle")
    error.args = (error,)
    assert failure_class(error, 200) == "content"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("product", "product"),
        ("/category/x", "/category/x"),
        ("the world, yes", "the-world-yes"),
        ('a"b\nc', "a-b-c"),
        ("  ", "other"),
        ("all", "all_"),
        ("session", "session_"),
        ("ü", "-"),
        ("x" * 200, "x" * 80),
    ],
)
def test_a_name_is_made_fit_for_tags(name: str, kind: str) -> None:
    assert PageKinds().admit(name) == kind


def test_a_hundred_names_are_kept_apart_and_the_rest_is_other() -> None:
    kinds = PageKinds()
    assert {kinds.admit(f"page {number}") for number in range(100)} == {f"page-{number}" for number in range(100)}
    assert not kinds.overflowed
    assert kinds.admit("page 100") == "other"
    assert kinds.overflowed
    assert kinds.admit("page 7") == "page-7"
