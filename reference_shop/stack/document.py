"""stack.json: what the supervisor tells the world about its stack; faults, samplers and audits read it."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from reference_shop.edges import EdgeOptions
from reference_shop.stack.identity import ProcessIdentity

SCHEMA_VERSION = 1
FILE_NAME = "stack.json"

State = Literal["starting", "ready", "stopping", "stopped", "failed"]
Restart = Literal["always", "never"]
Kind = Literal["shop", "edge"]


@dataclass(frozen=True, slots=True)
class ProcessRecord:
    """One process of the stack; `reload` is the command that has an edge read its configuration again."""

    role: str
    tier: str
    pid: int
    start_time: int
    port: int | None
    cpu_set: tuple[int, ...]
    log: str
    restart: Restart
    restart_count: int
    ready: bool
    reload: tuple[str, ...] | None = None

    @property
    def identity(self) -> ProcessIdentity:
        """Which process it is."""
        return ProcessIdentity(self.pid, self.start_time)


@dataclass(frozen=True, slots=True)
class AccessLog:
    """A file with one JSON line per request."""

    tier: str
    path: str


@dataclass(frozen=True, slots=True)
class OriginLink:
    """The proxy between edge and origin: its control file, and its usual delay."""

    control: str
    delay_ms: float


@dataclass(frozen=True, slots=True)
class PurgeDoor:
    """Where a cache takes purges, and by what: "url", "key"."""

    cache: str
    url: str
    by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StackDocument:
    """The content of stack.json; instants in seconds since the epoch, CPU sets by "stack" and "generator".

    `protections` are those that are on, `throttles` are written TIER.KIND=VALUE, `control_groups` are folders that we
    made and shall remove. `urls` are the points of presence, `url` first; `caches` their names in Cache-Status, origin
    side first; `holds` is a folder. `origin` is set, and `ops_url` is not, where an edge stands before somebody else's.
    """

    state: State
    url: str
    edge: str
    port: int
    started_at: float
    products: int
    seed: int
    workers: int
    supervisor: ProcessIdentity
    owner: ProcessIdentity | None
    ops_url: str | None
    ops_token: str | None = field(repr=False)
    cpu_sets: dict[str, tuple[int, ...]]
    access_logs: tuple[AccessLog, ...] = ()
    processes: tuple[ProcessRecord, ...] = ()
    past_orders: int = 0
    changes_per_s: float = 0.0
    protections: tuple[str, ...] = ()
    throttles: tuple[str, ...] = ()
    defects: tuple[str, ...] = ()
    control_groups: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    ca_file: str | None = None
    caches: tuple[str, ...] = ()
    edge_options: EdgeOptions = field(default_factory=EdgeOptions)
    origin_link: OriginLink | None = None
    purge_doors: tuple[PurgeDoor, ...] = ()
    holds: str | None = None
    origin: str | None = None
    schema_version: int = SCHEMA_VERSION

    @property
    def kind(self) -> Kind:
        """Whether a whole shop runs, or an edge alone."""
        return "shop" if self.origin is None else "edge"

    def write(self, folder: Path) -> None:
        """Replace the file in one step: a reader finds the old or the new one, whole. Only its owner may read it."""
        partial = folder / f".{FILE_NAME}"
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(asdict(self), file, indent=1)
        partial.replace(folder / FILE_NAME)


def read(folder: Path) -> StackDocument | None:
    """The document in a stack's folder; None when there is none that this version understands."""
    try:
        values = json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
        if values["schema_version"] != SCHEMA_VERSION:
            return None
        return StackDocument(**values | _read_parts(values))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _read_parts(values: dict[str, Any]) -> dict[str, Any]:
    """The fields that are more than text and numbers, as JSON knows neither tuples nor our records."""
    link = values.get("origin_link")
    lists = ("protections", "throttles", "defects", "control_groups", "caches")
    return {
        "supervisor": ProcessIdentity(**values["supervisor"]),
        "owner": ProcessIdentity(**values["owner"]) if values["owner"] else None,
        "cpu_sets": {name: tuple(cpus) for name, cpus in values["cpu_sets"].items()},
        **{name: tuple(values.get(name, ())) for name in lists},
        "urls": tuple(values.get("urls") or (values["url"],)),
        "access_logs": tuple(AccessLog(**log) for log in values["access_logs"]),
        "processes": tuple(map(_read_process, values["processes"])),
        "edge_options": EdgeOptions(**values.get("edge_options", {})),
        "origin_link": OriginLink(**link) if link else None,
        "purge_doors": tuple(PurgeDoor(**door | {"by": tuple(door["by"])}) for door in values.get("purge_doors", ())),
    }


def _read_process(values: dict[str, Any]) -> ProcessRecord:
    reload = values.get("reload")
    return ProcessRecord(**values | {"cpu_set": tuple(values["cpu_set"]), "reload": tuple(reload) if reload else None})
