"""What an edge is made from, and what comes out: values only."""

import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reference_shop.edges.certificates import ServerCertificate
from reference_shop.edges.options import EdgeOptions
from reference_shop.edges.profiles import EdgeProfile

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where pages come from; `host_header` None: the shopper's own Host is passed on."""

    host: str
    port: int
    secure: bool = False
    host_header: str | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """All that a layout is made from; each process gets `folder`/ROLE as its own.

    `worker_count` is how many processes of nginx serve, `concurrency` how many requests they have in work at once, all
    together, None for as many as come. `is_shop`: the reference shop stands behind, whose books are hidden.
    """

    profile: EdgeProfile
    options: EdgeOptions
    origin: Origin
    public_ports: tuple[int, ...]
    inner_ports: Mapping[str, int]
    folder: Path
    worker_count: int
    concurrency: int | None = None
    is_shop: bool = True
    certificate: ServerCertificate | None = None

    @property
    def scheme(self) -> str:
        """Of the shoppers' addresses."""
        return "https" if self.options.tls else "http"


@dataclass(frozen=True, slots=True)
class EdgeProcess:
    """One process of an edge; `files` (relative path: text) are written into its folder before it starts.

    `reload` is the command that has it read its files again; `purge_door` a URL with what can be purged there, of "url"
    and "key". A process that only writes a log listens nowhere: its `port` is 0.
    """

    role: str
    tier: str
    command: tuple[str, ...]
    files: Mapping[str, str]
    port: int
    stop_signal: signal.Signals
    access_log: Path | None
    reload: tuple[str, ...] | None
    cache: str | None
    purge_door: tuple[str, tuple[str, ...]] | None
