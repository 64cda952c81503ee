"""What master and workers tell each other, over Locust's own channel. A lone process tells it itself."""

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from loadgen.config import Scenario, resolve, to_toml

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
class Hello:
    """A worker's clock as it asked for the master's."""

    sent_at: float


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
    """One worker's part of a run: who it is, when second 0 is (master's clock), and what to do."""

    worker: str
    index: int
    count: int
    started_at: float
    session_cap: int
    target: str
    cpus: tuple[int, ...]  # the processors of the load generator on the master's machine
    scenario: Scenario

    def to_wire(self) -> dict[str, Any]:
        """As plain data."""
        wire = {name: getattr(self, name) for name in self.__slots__}
        return wire | {"scenario": to_toml(self.scenario)}

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> Self:
        """The plan that `to_wire` made."""
        values = {name: wire[name] for name in cls.__slots__}
        return cls(**{**values, "scenario": resolve(tomllib.loads(wire["scenario"]), "run", {})})


def to_wire(message: Hello | ClockReading | Joined | RateChange | Drain | Refusal) -> dict[str, Any]:
    """A small message as plain data; `type(**data)` makes it again."""
    return asdict(message)
