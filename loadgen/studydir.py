"""A study's directory `runs/<kind>/<UTC>/`: a manifest of its own, and a whole run in each `parts/NN-label/`."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, Self

from loadgen.errors import RunDirectoryProblem
from loadgen.records import strict_json
from loadgen.rundir import RunDirectory

SCHEMA_VERSION = 1
EDGE_COMPARE = "edge-compare"
KINDS = (EDGE_COMPARE,)
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
        fresh = path.with_name(path.name + ".new")
        fresh.write_text(json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        fresh.replace(path)

    @classmethod
    def read(cls, path: Path) -> Self:
        """The manifest in `path`; RunDirectoryProblem when it is damaged or of another format version."""
        values = _object(path)
        if values.get("schema_version") != SCHEMA_VERSION:
            found = values.get("schema_version")
            raise RunDirectoryProblem(f"{path} has format version {found}; this version reads {SCHEMA_VERSION} only")
        if unknown := sorted(set(values) - {entry.name for entry in fields(cls)}):
            raise RunDirectoryProblem(f"{path} is damaged: unknown keys {', '.join(unknown)}")
        try:
            return cls(**_typed(values))
        except KeyError as error:
            raise RunDirectoryProblem(f"{path} is damaged: {error} is missing") from None
        except (TypeError, ValueError, AttributeError) as error:
            raise RunDirectoryProblem(f"{path} is damaged: {error}") from None


class StudyDirectory(RunDirectory):
    """The paths of a study's files; its documents have the names that a run's have."""

    __slots__ = ()

    @classmethod
    def open(cls, path: Path) -> Self:
        """An existing study; RunDirectoryProblem when it is none, damaged, or of another format version."""
        if not is_study(path):
            raise RunDirectoryProblem(f"{path} is not a study: its manifest.json names none of {', '.join(KINDS)}")
        study = cls(path)
        StudyManifest.read(study.manifest)
        return study

    @property
    def calibration(self) -> RunDirectory:
        """The short run by which the rate was chosen; absent when a rate was given."""
        return RunDirectory(self.path / "calibration")

    def part(self, part: StudyPart) -> RunDirectory:
        """The run of a part."""
        return RunDirectory(self.path / "parts" / part.label)


def part_label(number: int, profile: str) -> str:
    """The directory of the part that was run as the `number`th, from 1: 01-nginx."""
    return f"{number:02}-{profile}"


def is_study(path: Path) -> bool:
    """Whether a directory's manifest is that of a study; False for a run, and where there is none to be read."""
    try:
        return _object(path / "manifest.json").get("kind") in KINDS
    except RunDirectoryProblem:
        return False


def _object(path: Path) -> dict[str, Any]:
    try:
        values = strict_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunDirectoryProblem(f"{path} cannot be read: {error}") from None
    if not isinstance(values, dict):
        raise RunDirectoryProblem(f"{path} is damaged: it holds no JSON object")
    return dict(values)


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
    if "/" in part.label or part.label in ("", ".", ".."):
        raise ValueError(f"the part {part.label!r} lies outside the study")
    return part


def _profile(entry: dict[str, Any]) -> ComparedProfile:
    safety = {check: ExpectedSafety(**expected) for check, expected in (entry["safety"] or {}).items()}
    lists = {name: tuple(entry[name]) for name in ("caches", "promises")}
    return ComparedProfile(**{**entry, **lists, "safety": safety})
