"""manifest.json: what was run, where, with what, and whether it ended. Written at the start and again at the end."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Self

from loadgen.errors import RunDirectoryProblem
from loadgen.manifest_fields import check_fields
from loadgen.records import strict_json

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class Plan:
    """The load that was to be offered.

    rate_per_s: the profile's full height, the mean of a trace, 0 where nobody arrives by a rate; users: of the closed
    model, else 0. Runs of before have neither `arrivals` nor `users`.
    """

    model: str
    rate_per_s: float
    duration_s: float
    warmup_s: float
    drain_s: float
    arrivals: str = "poisson"
    users: int = 0


@dataclass(frozen=True, slots=True)
class WorkerEntry:
    """One load generating process; its clock's offset against the master's."""

    name: str
    pid: int
    clock_offset_s: float


@dataclass(frozen=True, slots=True)
class Manifest:
    """The identity of a run. `started_at` and `ended_at` are seconds since the epoch, and second 0 of every file.

    `targets` are all points of presence, `target` is the first; `edge_options` what was chosen for the profile `edge`;
    `caches` the edge's caches by their names in Cache-Status, origin side first; `products` the size of the shop's
    catalogue where that is known. Runs of before have none of the four.
    """

    scenario: str
    seed: int
    target: str
    edge: str | None
    plan: Plan
    started_at: float
    command: str
    versions: Mapping[str, str] = field(default_factory=dict)
    host: Mapping[str, str | int | float] = field(default_factory=dict)
    cpu_sets: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    commit: str | None = None
    workers: tuple[WorkerEntry, ...] = ()
    foreign_locustfile: str | None = None
    ended_at: float | None = None
    complete: bool = False
    interrupted: bool = False
    kind: str = "run"
    schema_version: int = SCHEMA_VERSION
    targets: tuple[str, ...] = ()
    edge_options: Mapping[str, bool | int | float | str | None] = field(default_factory=dict)
    caches: tuple[str, ...] = ()
    products: int | None = None

    def write(self, path: Path) -> None:
        """Replace the file in one step, so that a reader sees the old or the new one whole."""
        fresh = path.with_name(path.name + ".new")
        with fresh.open("w", encoding="utf-8") as file:
            json.dump(asdict(self), file, indent=2, ensure_ascii=False)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)

    @classmethod
    def read(cls, path: Path) -> Self:
        """The manifest in `path`; RunDirectoryProblem when it is damaged or of another format version."""
        try:
            values = strict_json(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise RunDirectoryProblem(f"{path} cannot be read: {error}") from None
        if not isinstance(values, dict):
            raise RunDirectoryProblem(f"{path} is damaged: it holds no JSON object")
        version = values.get("schema_version")
        if version != SCHEMA_VERSION:
            raise RunDirectoryProblem(f"{path} has format version {version}; this version reads {SCHEMA_VERSION} only")
        try:
            return cls(**_typed(values))
        except KeyError as error:
            raise RunDirectoryProblem(f"{path} is damaged: {error} is missing") from None
        except (TypeError, ValueError) as error:
            raise RunDirectoryProblem(f"{path} is damaged: {error}") from None


def _typed(values: dict[str, Any]) -> dict[str, Any]:  # from JSON's types to the dataclass's
    known = {entry.name for entry in fields(Manifest)}
    if unknown := sorted(set(values) - known):
        raise ValueError(f"unknown keys {', '.join(unknown)}")
    check_fields(values)
    plan, workers, cpu_sets = values["plan"], values["workers"], values["cpu_sets"]
    return {
        **values,
        "plan": Plan(**plan),
        "workers": tuple(WorkerEntry(**worker) for worker in workers),
        "cpu_sets": {name: tuple(cpus) for name, cpus in cpu_sets.items()},
        **{name: tuple(values[name]) for name in ("targets", "caches") if name in values},
    }
