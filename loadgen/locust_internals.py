"""Every touch of what Locust and geventhttpclient keep private, each with a test that breaks when they change it."""

import socket
from collections.abc import Callable

import gevent.socket
from geventhttpclient.client import HTTPClient
from locust.runners import LocalRunner

_IP_BIND_ADDRESS_NO_PORT = 24  # linux/in.h: choose the port at connect, so that it need be unique per target only


def never_resend(client: HTTPClient) -> None:
    """Make an HTTP client send every request at most once.

    It tries GETs on a broken connection as often as its connection pool is large, plus one; the number is read from
    the pool for nothing else.
    """
    client._connection_pool.size = -1


def bind_source(client: HTTPClient, source_address: str) -> None:
    """Let every connection of an HTTP client leave from one of this machine's IPv4 addresses."""

    def bound_socket(family: int, kind: int, protocol: int) -> gevent.socket.socket:
        sock = gevent.socket.socket(family, kind, protocol)
        try:
            sock.setsockopt(socket.IPPROTO_IP, _IP_BIND_ADDRESS_NO_PORT, 1)
            sock.bind((source_address, 0))
        except OSError:
            sock.close()
            raise
        return sock

    client._connection_pool._create_tcp_socket = bound_socket  # type: ignore[method-assign,assignment]


def show_user_count(runner: LocalRunner, count: Callable[[], int]) -> None:
    """Let a lone process's user count, in the web UI and the printed statistics, be what `count` says."""

    class CountingRunner(type(runner)):  # type: ignore[misc]
        @property
        def user_count(self) -> int:
            return count()

    runner.__class__ = CountingRunner
