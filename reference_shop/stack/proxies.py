"""The delaying proxies of a stack: how they are launched, and how clients are sent to them."""

import socket
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from reference_shop.stack.child import ProcessSpec
from reference_shop.stack.folder import StackFolder
from reference_shop.stack.ports import HOST, number_of
from reference_shop.stack.programs import program
from reference_shop.stack.settings import StackSettings

_POSTGRESQL_PORT = 5432
_CONTROL = "control.json"


@dataclass(frozen=True, slots=True)
class Way:
    """Where a proxy listens and where it leads to; on `keep_client_address` see `reference_shop.throttles.proxy`."""

    listener: socket.socket
    target: tuple[str, int]
    keep_client_address: bool


def throttle(role: str, tier: str, settings: StackSettings, folder: StackFolder, way: Way) -> ProcessSpec:
    """The proxy that makes a tier slow; its delay is the throttle's."""
    return _proxy(role, tier, settings, folder, way, delay_ms=settings.throttle(tier, "delay-ms") or 0.0)


def origin_link(settings: StackSettings, folder: StackFolder, way: Way) -> ProcessSpec:
    """The proxy between edge and origin, with a control file that is there from the start and orders nothing yet."""
    control = control_file(folder)
    control.write_text("{}", encoding="ascii")
    folder.hand_over(control)
    delay_ms = settings.edge_options.origin_rtt_ms or 0.0
    return _proxy("origin-link", "link", settings, folder, way, delay_ms=delay_ms, control=control)


def control_file(folder: StackFolder) -> Path:
    """What makes the origin link slower, or cuts it; the proxy may read it, the stack's owner may replace it."""
    return folder.open_to_processes("origin-link") / _CONTROL


def _proxy(
    role: str,
    tier: str,
    settings: StackSettings,
    folder: StackFolder,
    way: Way,
    *,
    delay_ms: float,
    control: Path | None = None,
) -> ProcessSpec:
    return ProcessSpec(
        role=role,
        tier=tier,
        command=program("throttles"),
        folder=folder.path,
        log=folder.log(role),
        settings={
            "listen_fd": way.listener.fileno(),
            "host": way.target[0],
            "port": way.target[1],
            "delay_ms": delay_ms,
            "keep_client_address": way.keep_client_address,
            "run_as": settings.run_as,
            **({"control": str(control)} if control else {}),
        },
        port=number_of(way.listener),
        cpu_set=settings.stack_cpus,
        inherited_fds=(way.listener.fileno(),),
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
