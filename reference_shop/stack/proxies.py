"""The delaying proxies of a throttled stack: how they are launched, and how clients are sent to them."""

import socket
from urllib.parse import urlsplit, urlunsplit

from reference_shop.stack.child import ProcessSpec
from reference_shop.stack.folder import StackFolder
from reference_shop.stack.ports import HOST, number_of
from reference_shop.stack.programs import program
from reference_shop.stack.settings import StackSettings

_POSTGRESQL_PORT = 5432


def delaying_proxy(
    tier: str,
    settings: StackSettings,
    folder: StackFolder,
    listener: socket.socket,
    target: tuple[str, int],
    *,
    keep_client_address: bool,
) -> ProcessSpec:
    """The proxy that listens in front of a tier; its delay is the throttle's."""
    role = f"{tier}-throttle"
    return ProcessSpec(
        role=role,
        tier=tier,
        command=program("throttles"),
        folder=folder.path,
        log=folder.log(role),
        settings={
            "listen_fd": listener.fileno(),
            "host": target[0],
            "port": target[1],
            "delay_ms": settings.throttle(tier, "delay-ms"),
            "keep_client_address": keep_client_address,
            "run_as": settings.run_as,
        },
        port=number_of(listener),
        cpu_set=settings.stack_cpus,
        inherited_fds=(listener.fileno(),),
        announces_itself=True,
    )


def server_of(database_url: str) -> tuple[str, int]:
    """Where a database listens."""
    parts = urlsplit(database_url)
    return parts.hostname or HOST, parts.port or _POSTGRESQL_PORT


def by_way_of(database_url: str, listener: socket.socket) -> str:
    """The same database, user and password, by way of a proxy."""
    parts = urlsplit(database_url)
    user, at, _ = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user}{at}{HOST}:{number_of(listener)}"))
