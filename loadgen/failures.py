"""Why a request failed, as one of records.FAILURE_CLASSES, for the exceptions of any client library."""

import http.client
import socket
import ssl
import zlib
from collections.abc import Iterator

import gevent
import requests
from geventhttpclient._parser import HTTPParseError

from loadgen.errors import TargetRefused
from loadgen.http.answer import BadAnswer

_DEEPEST = 12
_CLASSES: tuple[tuple[str, tuple[type[BaseException], ...]], ...] = (
    ("refused", (TargetRefused,)),
    ("tls", (ssl.SSLError, requests.exceptions.SSLError)),
    ("timeout", (TimeoutError, gevent.Timeout, requests.exceptions.Timeout)),
    ("connect", (ConnectionError, socket.gaierror, requests.exceptions.ConnectionError)),
    (
        "protocol",
        (BadAnswer, HTTPParseError, http.client.HTTPException, requests.exceptions.ChunkedEncodingError, zlib.error),
    ),
)


def failure_class(exception: BaseException, status: int) -> str:
    """The class of a failed sample; `status` is 0 when there was no answer.

    What happened on the wire counts before the status, the status before what a content check said.
    """
    causes = list(_causes(exception))
    for name, types in _CLASSES:
        if any(isinstance(cause, types) for cause in causes):
            return name
    if status >= 500:
        return "http_5xx"
    if status >= 400:
        return "http_4xx"
    if status > 0:
        return "content"
    return "connect" if any(isinstance(cause, OSError) for cause in causes) else "other"


def _causes(exception: BaseException) -> Iterator[BaseException]:
    # Libraries wrap the cause in different places: __cause__, urllib3's reason, geventhttpclient's original, args.
    waiting, seen = [exception], set[int]()
    while waiting and len(seen) < _DEEPEST:
        current = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        inner = (current.__cause__, getattr(current, "reason", None), getattr(current, "original", None), *current.args)
        waiting += [cause for cause in inner if isinstance(cause, BaseException)]
