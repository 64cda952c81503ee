"""The manifest of a study of edges (`kind: edge-compare`): which profiles, which runs, and what they had in common."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Self

from loadgen.study_file import SCHEMA_VERSION, check_label, read_versioned, write_object

EDGE_COMPARE = "edge-compare"
# A study compares edges, not queues: beyond a third of a processor waiting for it shows in the slower percentiles
# (M/M/1 at 0.3: 1.4 times the service time), and it would show most where a cache spares least.
LOAD_LIMIT_RATIO = 0.30


@dataclass(frozen=True, slots=True)
class ExpectedSafety:
    """What was written down beforehand about one way to leak: whether this profile does, and why."""

    answer: Literal["leaks", "safe"]
    because: str


@dataclass(frozen=True, slots=True)
class ComparedProfile:
    """An edge profile as it was known when the study was made; `caches` are Cache-Status names, origin side first."""

    name: str
    sentence: str
    caches: tuple[str, ...] = ()
    promises: tuple[str, ...] = ()
    safety: Mapping[str, ExpectedSafety] | None = None


@dataclass(frozen=True, slots=True)
class StudyPart:
    """One run of a study; `label` names its directory, `problem` says in a sentence why nothing was recorded."""

    label: str
    profile: str
    round: int
    outcome: Literal["planned", "measured", "failed"] = "planned"
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Calibration:
    """What the costliest profile used of generator and stack (1 is all of their processors), and the rate after it."""

    profile: str
    asked_rate_per_s: float
    rate_per_s: float
    generator_ratio: float | None
    stack_ratio: float | None


@dataclass(frozen=True, slots=True)
class StudyOptions:
    """What every part has in common."""

    repeats: int
    products: int
    origin_rtt_ms: float | None
    purge: str
    tls: bool
    waf: int
    faults: bool


@dataclass(frozen=True, slots=True)
class StudyManifest:
    """The identity of a study; `parts` stand in the order in which they were run, times are seconds since the epoch."""

    scenario: str
    seed: int
    options: StudyOptions
    profiles: tuple[ComparedProfile, ...]
    parts: tuple[StudyPart, ...]
    started_at: float
    command: str
    calibration: Calibration | None = None
    ended_at: float | None = None
    complete: bool = False
    interrupted: bool = False
    kind: str = EDGE_COMPARE
    schema_version: int = SCHEMA_VERSION

    def write(self, path: Path) -> None:
        """Replace the file in one step, so that a reader sees the old or the new one whole."""
        write_object(asdict(self), path)

    @classmethod
    def read(cls, path: Path) -> Self:
        """The manifest in `path`; RunDirectoryProblem when it is damaged or of another format version."""
        return read_versioned(path, cls, _typed)


def _typed(values: dict[str, Any]) -> dict[str, Any]:  # from JSON's types to the dataclass's
    calibration = values["calibration"]
    return {
        **values,
        "options": StudyOptions(**values["options"]),
        "profiles": tuple(_profile(entry) for entry in values["profiles"]),
        "parts": tuple(_part(entry) for entry in values["parts"]),
        "calibration": Calibration(**calibration) if calibration else None,
        "started_at": float(values["started_at"]),
    }


def _part(entry: dict[str, Any]) -> StudyPart:
    part = StudyPart(**entry)
    check_label(part.label)
    return part


def _profile(entry: dict[str, Any]) -> ComparedProfile:
    safety = {check: ExpectedSafety(**expected) for check, expected in (entry["safety"] or {}).items()}
    lists = {name: tuple(entry[name]) for name in ("caches", "promises")}
    return ComparedProfile(**{**entry, **lists, "safety": safety})
