"""What master and workers tell each other, over Locust's own channel. A lone process tells it itself."""

import importlib.metadata
import time
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from loadgen.config import Scenario, resolve, to_toml

WIRE_VERSION = 3  # of everything below and of batch.py: to be raised with every change to either
HELLO = "lonjak_hello"  # worker -> master: Hello
CLOCK = "lonjak_clock"  # master -> worker: ClockReading
JOINED = "lonjak_joined"  # worker -> master: Joined
PLAN = "lonjak_plan"  # master -> worker: RunPlan
RATE = "lonjak_rate"  # master -> worker: RateChange
BATCH = "lonjak_batch"  # worker -> master: batch.Batch
DRAIN = "lonjak_drain"  # master -> worker: Drain
DRAINED = "lonjak_drained"  # worker -> master: its name, after its last batch
REFUSED = "lonjak_refused"  # worker -> master: Refusal


@dataclass(frozen=True, slots=True)
class Version:
    """What a process runs; None and 0 for one that is too old to say."""

    lonjak: str | None = None
    wire: int = 0

    @classmethod
    def own(cls) -> Self:
        """This process's."""
        try:
            return cls(importlib.metadata.version("lonjak"), WIRE_VERSION)
        except importlib.metadata.PackageNotFoundError:  # run from a tree that was never installed
            return cls("of an unknown version", WIRE_VERSION)

    def __str__(self) -> str:
        return f"Lonjak {self.lonjak} (messages {self.wire})" if self.lonjak else "a Lonjak too old to say its version"


@dataclass(frozen=True, slots=True)
class Hello:
    """A worker's clock as it asked for the master's, and what it runs. It is read from whatever version there is."""

    sent_at: float
    version: Version

    @classmethod
    def now(cls) -> Self:
        """From this process."""
        return cls(time.time(), Version.own())

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> Self:
        """What `to_wire` made here or in another version."""
        told = wire.get("version")
        known = Version(str(told.get("lonjak")), told.get("wire", 0)) if isinstance(told, Mapping) else Version()
        return cls(wire.get("sent_at", 0.0), known)


@dataclass(frozen=True, slots=True)
class ClockReading:
    """The master's clock when the question arrived."""

    asked_at: float
    master_at: float


@dataclass(frozen=True, slots=True)
class Joined:
    """A worker is ready: its process, and what must be added to its clock to get the master's."""

    pid: int
    clock_offset_s: float


@dataclass(frozen=True, slots=True)
class RateChange:
    """Offer `rate_per_s` from `from_s` seconds of the run on."""

    rate_per_s: float
    from_s: float


@dataclass(frozen=True, slots=True)
class Drain:
    """End the run: sessions may go on for `drain_s`, then they are cut."""

    drain_s: float


@dataclass(frozen=True, slots=True)
class Refusal:
    """The gate stopped a connection."""

    host: str
    reason: str


@dataclass(frozen=True, slots=True)
class RunPlan:
    """One worker's part of a run: who it is, when second 0 is (master's clock), and what to do.

    `targets` are all points of presence; `ca_file` is an authority to trust beside the machine's.
    """

    worker: str
    index: int
    count: int
    started_at: float
    session_cap: int
    targets: tuple[str, ...]
    ca_file: str | None
    cpus: tuple[int, ...]  # the processors of the load generator on the master's machine
    scenario: Scenario

    @property
    def target(self) -> str:
        """The first point of presence."""
        return self.targets[0]

    def to_wire(self) -> dict[str, Any]:
        """As plain data."""
        wire = {name: getattr(self, name) for name in self.__slots__}
        return wire | {"scenario": to_toml(self.scenario)}

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> Self:
        """The plan that `to_wire` made."""
        values = {name: wire[name] for name in cls.__slots__}
        scenario = resolve(tomllib.loads(wire["scenario"]), "run", {})
        return cls(**{**values, "targets": tuple(wire["targets"]), "scenario": scenario})


def to_wire(message: Hello | ClockReading | Joined | RateChange | Drain | Refusal) -> dict[str, Any]:
    """A small message as plain data; `type(**data)` makes it again."""
    return asdict(message)
