"""The safety gate: every connection of this process, by whatever client, passes here or does not happen.

Installed once per process as an audit hook on the interpreter's own `socket.connect`, `socket.sendto` and
`socket.sendmsg` (https://docs.python.org/3/library/audit_events.html); a hook cannot be removed again. It sees
addresses, not names, so redirects and names that resolve elsewhere are caught with everything else.
"""

import errno
import ipaddress
import socket
import sys
import time
from _socket import getaddrinfo as blocking_getaddrinfo  # gevent's own would switch greenlets inside the hook
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from loadgen.errors import TargetRefused, TargetUnreachable, UsageProblem

RESOLVE_AGAIN_S = 10.0
_GATED = frozenset(("socket.connect", "socket.sendto", "socket.sendmsg"))
_INTERNET = frozenset((int(socket.AF_INET), int(socket.AF_INET6)))
Resolver = Callable[[str], Iterable[str]]


class RefusedConnection(TargetRefused, PermissionError):
    """A connection that the gate stopped: an OSError, so that any client turns it into a failed sample."""

    def __init__(self, sentence: str) -> None:
        super().__init__(errno.EACCES, sentence)

    def __str__(self) -> str:
        return str(self.args[1])


def resolve(host: str) -> Iterable[str]:
    """All addresses of a host as text; OSError when it has none."""
    return {str(found[4][0]) for found in blocking_getaddrinfo(host, None)}


class Gate:
    """Loopback, Unix sockets, and the hosts named at the start; nothing can be added later.

    `on_refused` hears of each refused address once, as (address, sentence); it must not block.
    """

    def __init__(
        self,
        allowed_hosts: Iterable[str] = (),
        *,
        resolve: Resolver = resolve,
        clock: Callable[[], float] = time.monotonic,
        on_refused: Callable[[str, str], None] = lambda _address, _sentence: None,
    ) -> None:
        self._names = frozenset(host.strip("[]").lower() for host in allowed_hosts)
        self._resolve = resolve
        self._clock = clock
        self.on_refused = on_refused
        self._resolved_at = -RESOLVE_AGAIN_S
        self._addresses: set[str] = set()
        self._refused: set[str] = set()
        self._refresh()

    def install(self) -> None:
        """Stand guard in this process from now on."""
        sys.addaudithook(self._audit)

    def check_address(self, host: str) -> None:
        """Raise RefusedConnection unless an address (or a name that no resolver has seen yet) is allowed."""
        if host in self._addresses or is_loopback(host) or host.lower() in self._names:
            return
        self._refresh()
        if host in self._addresses:
            return
        sentence = f"{host} is neither loopback nor an address of a host given by --allow-host: nothing was sent"
        if host not in self._refused:
            self._refused.add(host)
            self.on_refused(host, sentence)
        raise RefusedConnection(sentence)

    def check_target(self, url: str) -> None:
        """Raise TargetRefused unless every address of the URL's host is allowed; say so before any traffic."""
        host = host_of(url)
        try:
            addresses = sorted(self._resolve(host))
        except OSError:
            raise TargetUnreachable(f"target {host} has no address: check the name, or the network") from None
        for address in addresses:
            if not is_loopback(address) and address not in self._addresses and host.lower() not in self._names:
                where = host if host == address else f"{host} ({address})"
                raise TargetRefused(
                    f"target {where} is not loopback: nothing was sent; "
                    f"if you may load it, allow it with --allow-host {host}"
                )

    def _audit(self, event: str, args: tuple[object, ...]) -> None:
        if event not in _GATED:
            return
        family, address = getattr(args[0], "family", None), args[1]
        if family not in _INTERNET or address is None:
            return
        host = address[0] if isinstance(address, tuple) and address else ""
        self.check_address(host.decode("latin-1") if isinstance(host, bytes | bytearray) else str(host))

    def _refresh(self) -> None:
        if self._clock() - self._resolved_at < RESOLVE_AGAIN_S:
            return
        self._resolved_at = self._clock()
        for name in self._names:
            try:
                self._addresses.update(self._resolve(name))
            except OSError:
                continue  # an allowed host without an address allows none


def is_loopback(host: str) -> bool:
    """Whether an address is in 127.0.0.0/8 or ::1, or the name that stands for them."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def host_of(url: str) -> str:
    """The host of an http(s) URL; UsageProblem when it is none."""
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port  # reading the port checks it
    except ValueError:
        host, parts = None, urlsplit("")
    if parts.scheme not in ("http", "https") or not host:
        raise UsageProblem(f"target {url!r} is not an http:// or https:// address, such as http://127.0.0.1:8080")
    return host
