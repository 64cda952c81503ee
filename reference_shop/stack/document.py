"""stack.json: what the supervisor tells the world about its stack; faults, samplers and audits read it."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from reference_shop.stack.identity import ProcessIdentity

SCHEMA_VERSION = 1
FILE_NAME = "stack.json"

State = Literal["starting", "ready", "stopping", "stopped", "failed"]
Restart = Literal["always", "never"]


@dataclass(frozen=True, slots=True)
class ProcessRecord:
    """One process of the stack; `port` is None for those that share the shop's."""

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
class StackDocument:
    """The content of stack.json; instants in seconds since the epoch, CPU sets by "stack" and "generator".

    `protections` are those that are on, `throttles` are written TIER.KIND=VALUE, `control_groups` are folders that we
    made and shall remove.
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
    ops_url: str
    ops_token: str = field(repr=False)
    cpu_sets: dict[str, tuple[int, ...]]
    access_logs: tuple[AccessLog, ...] = ()
    processes: tuple[ProcessRecord, ...] = ()
    past_orders: int = 0
    changes_per_s: float = 0.0
    protections: tuple[str, ...] = ()
    throttles: tuple[str, ...] = ()
    defects: tuple[str, ...] = ()
    control_groups: tuple[str, ...] = ()
    schema_version: int = SCHEMA_VERSION

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
        values["supervisor"] = ProcessIdentity(**values["supervisor"])
        values["owner"] = ProcessIdentity(**values["owner"]) if values["owner"] else None
        values["cpu_sets"] = {name: tuple(cpus) for name, cpus in values["cpu_sets"].items()}
        for name in ("protections", "throttles", "defects", "control_groups"):
            values[name] = tuple(values.get(name, ()))
        values["access_logs"] = tuple(AccessLog(**log) for log in values["access_logs"])
        values["processes"] = tuple(
            ProcessRecord(**process | {"cpu_set": tuple(process["cpu_set"])}) for process in values["processes"]
        )
        return StackDocument(**values)
    except (OSError, ValueError, KeyError, TypeError):
        return None
