"""stack.json: processes, doors and logs of the shop under test, as the stack itself (or a person) wrote them."""

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loadgen.errors import StackMissing, UsageProblem

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class StackProcess:
    """One process; `start_time` (clock ticks since boot) tells it from a later one with the same pid.

    `reload` is the command that has an edge process read its configuration again.
    """

    role: str
    tier: str
    pid: int
    start_time: int
    port: int | None
    cpu_set: tuple[int, ...]
    ready: bool
    reload: tuple[str, ...] | None = None

    @property
    def alive(self) -> bool:
        """Whether this very process still runs."""
        return start_time_of(self.pid) == self.start_time


@dataclass(frozen=True, slots=True)
class AccessLog:
    """Where a tier writes one JSON line per request."""

    tier: str
    path: Path


@dataclass(frozen=True, slots=True)
class EdgeOptions:
    """What was chosen for the edge; `waf` is a paranoia level (0: none), `purge` is "none", "url" or "key"."""

    tls: bool = False
    waf: int = 0
    rate_limit_per_s: int | None = None
    origin_rtt_ms: float | None = None
    purge: str = "none"
    config: str | None = None


@dataclass(frozen=True, slots=True)
class OriginLink:
    """The way from the edge to its origin: how long it takes, and the file that makes it slower or cuts it."""

    control: Path
    delay_ms: float


@dataclass(frozen=True, slots=True)
class PurgeDoor:
    """Where a cache takes purges, and by what: "url", "key"."""

    cache: str
    url: str
    by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stack:
    """A shop that this machine runs, or an edge in front of somebody's own `origin`.

    What it was built from is empty in a file that says nothing of it: protections that are on, throttles
    (TIER.KIND=VALUE), planted defects, orders of before, changes by its back office. `urls` are the points of presence,
    `url` first; `caches` their caches' names in Cache-Status, origin side first; `holds` is the folder of files, named
    like a role, that keep a process from being started again before the epoch they hold.
    """

    path: Path
    state: str
    url: str
    edge: str
    ops_url: str | None
    ops_token: str | None
    cpu_sets: Mapping[str, tuple[int, ...]]
    access_logs: tuple[AccessLog, ...]
    processes: tuple[StackProcess, ...]
    supervisor_pid: int | None
    supervisor_start_time: int | None
    protections: tuple[str, ...] = ()
    throttles: tuple[str, ...] = ()
    defects: tuple[str, ...] = ()
    past_orders: int = 0
    changes_per_s: float = 0.0
    products: int = 0
    urls: tuple[str, ...] = ()
    ca_file: Path | None = None
    caches: tuple[str, ...] = ()
    edge_options: EdgeOptions = EdgeOptions()
    origin_link: OriginLink | None = None
    purge_doors: tuple[PurgeDoor, ...] = ()
    holds: Path | None = None
    origin: str | None = None

    @property
    def supervised(self) -> bool:
        """Whether the supervisor that keeps the file true still lives."""
        return self.supervisor_pid is not None and start_time_of(self.supervisor_pid) == self.supervisor_start_time


def state_root() -> Path:
    """Where this user's stacks keep their state: LONJAK_STATE_DIR, else a folder below the system's temporary one."""
    given = os.environ.get("LONJAK_STATE_DIR")
    return Path(given) if given else Path(tempfile.gettempdir()) / f"lonjak-{os.getuid()}"


def find_stack() -> Stack:
    """The one running stack of this user; StackMissing when none is, UsageProblem when several are.

    An edge in front of somebody's own origin counts only where no shop runs.
    """
    found = [stack for path in sorted(state_root().glob("stack-*/stack.json")) if (stack := _if_running(path))]
    running = [stack for stack in found if stack.origin is None] or found
    if not running:
        raise StackMissing(
            "no shop is running: start one with `lonjak shop up --detach`, or name one with --target URL "
            "(--host URL under plain locust)"
        )
    if len(running) > 1:
        urls = ", ".join(stack.url for stack in running)
        raise UsageProblem(f"several shops are running ({urls}): choose one with --target URL")
    return running[0]


def find_stack_at(url: str) -> Stack | None:
    """The running stack of this user that answers at `url`, at whichever of its points of presence, if any."""
    for path in sorted(state_root().glob("stack-*/stack.json")):
        stack = _if_running(path)
        if stack and url.rstrip("/") in (known.rstrip("/") for known in stack.urls):
            return stack
    return None


def read_stack(path: Path) -> Stack:
    """The stack that a file describes; UsageProblem when the file is missing, damaged or of another version."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if values["schema_version"] != SCHEMA_VERSION:
            raise UsageProblem(
                f"{path} has version {values['schema_version']}; this version reads {SCHEMA_VERSION} only"
            )
        return _from_json(path, values)
    except OSError as error:
        raise UsageProblem(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageProblem(f"{path} does not describe a stack: {type(error).__name__} {error}") from None


def start_time_of(pid: int) -> int | None:
    """When a process started, in clock ticks since boot (proc(5), field 22); None when it is gone or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def _if_running(path: Path) -> Stack | None:
    try:
        stack = read_stack(path)
    except UsageProblem:
        return None
    return stack if stack.supervised and stack.state == "ready" else None


def _from_json(path: Path, values: Mapping[str, Any]) -> Stack:
    supervisor = values.get("supervisor") or {}
    return Stack(
        path=path,
        state=values.get("state", "ready"),
        url=values["url"],
        edge=values.get("edge", "unknown"),
        ops_url=values.get("ops_url"),
        ops_token=values.get("ops_token"),
        cpu_sets={name: tuple(cpus) for name, cpus in values.get("cpu_sets", {}).items()},
        access_logs=tuple(AccessLog(log["tier"], Path(log["path"])) for log in values.get("access_logs", [])),
        processes=tuple(_process(entry) for entry in values["processes"]),
        supervisor_pid=supervisor.get("pid"),
        supervisor_start_time=supervisor.get("start_time"),
        protections=tuple(values.get("protections", ())),
        throttles=tuple(values.get("throttles", ())),
        defects=tuple(values.get("defects", ())),
        past_orders=int(values.get("past_orders", 0)),
        changes_per_s=float(values.get("changes_per_s", 0.0)),
        products=int(values.get("products", 0)),
        urls=tuple(values.get("urls") or (values["url"],)),
        **_edge(values),
    )


def _edge(values: Mapping[str, Any]) -> dict[str, Any]:
    """What a file says of the edge, by field of Stack."""
    link = values.get("origin_link")
    return {
        "ca_file": _path(values.get("ca_file")),
        "caches": tuple(values.get("caches", ())),
        "edge_options": EdgeOptions(**values.get("edge_options", {})),
        "origin_link": OriginLink(Path(link["control"]), float(link["delay_ms"])) if link else None,
        "purge_doors": tuple(
            PurgeDoor(door["cache"], door["url"], tuple(door["by"])) for door in values.get("purge_doors", ())
        ),
        "holds": _path(values.get("holds")),
        "origin": values.get("origin"),
    }


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None


def _process(entry: Mapping[str, Any]) -> StackProcess:
    return StackProcess(
        role=entry["role"],
        tier=entry["tier"],
        pid=int(entry["pid"]),
        start_time=int(entry["start_time"]),
        port=entry.get("port"),
        cpu_set=tuple(entry.get("cpu_set", ())),
        ready=bool(entry.get("ready", True)),
        reload=tuple(entry["reload"]) if entry.get("reload") else None,
    )
