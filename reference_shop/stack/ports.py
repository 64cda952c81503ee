"""Listening sockets: the supervisor binds and hands them on, so a dead process never loses its port (docs/adr/0002)."""

import errno
import ipaddress
import socket
from pathlib import Path

import psutil

from reference_shop.stack.problems import PortHeld, StackProblem

HOST = "127.0.0.1"
BACKLOG = 4096  # what the kernel allows at most by default (net.core.somaxconn)
_LOWEST_FOR_ALL = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")


def listen(port: int = 0) -> socket.socket:
    """A listening socket on 127.0.0.1; port 0 takes a free one. Raises StackProblem when it cannot be had."""
    bound = reserve(port)
    bound.listen(BACKLOG)
    return bound


def reserve(port: int = 0) -> socket.socket:
    """A socket that holds a port without listening, for a program that binds it itself.

    That program must set SO_REUSEADDR, as nginx, Varnish and PostgreSQL do. While the socket is open nobody else gets
    the port by chance, and a connection to it is refused. Raises StackProblem when it cannot be had.
    """
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((HOST, port))
    except OSError as error:
        bound.close()
        raise _problem(port, error) from None
    return bound


def number_of(bound: socket.socket) -> int:
    """The port that a socket is bound to."""
    port: int = bound.getsockname()[1]
    return port


def check_free(port: int) -> None:
    """Raise StackProblem, naming the holder, when somebody listens on `port` of 127.0.0.1 (or of every address)."""
    if port:
        reserve(port).close()


def is_loopback(host: str) -> bool:
    """Whether an address, or a name, stands for this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def lowest_for_all() -> int:
    """The lowest port that a user other than root may listen on."""
    return int(_LOWEST_FOR_ALL.read_text())


def holder_of(port: int) -> str:
    """Who listens on a port: "nginx (pid 123)", or what can be said of a process that may not be looked at."""
    listeners = [
        connection
        for connection in psutil.net_connections(kind="tcp")
        if connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port
    ]
    for connection in listeners:
        if connection.pid is not None:
            try:
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
            except psutil.Error:
                continue
    return "a process of another user"


def _problem(port: int, error: OSError) -> StackProblem:
    if error.errno == errno.EADDRINUSE:
        return PortHeld(f"port {port} is held by {holder_of(port)}: stop it, or choose another with --port")
    if error.errno in (errno.EACCES, errno.EPERM):
        return StackProblem(f"port {port} may not be used by this user: choose one above 1023 with --port")
    return StackProblem(f"port {port} of {HOST} cannot be used: {error.strerror}")
