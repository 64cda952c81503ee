"""A study of a shop's capacity (`kind: capacity`): its manifest, and capacity.json, the search step by step."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

from loadgen.study_file import SCHEMA_VERSION, check_label, read_versioned, write_object

CAPACITY = "capacity"
SEARCH_PART = "01-search"

Found = Literal["found", "at least", "below", "unknown"]
StepOutcome = Literal["holds", "fails", "unknown", "unsteady"]
Beyond = Literal["collapses", "holds", "unseen"]


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """What the search was given: rates in sessions per second, times in seconds."""

    start_per_s: float
    lowest_per_s: float
    highest_per_s: float
    resolution_ratio: float
    confidence: float
    budget_s: float
    generators: int


@dataclass(frozen=True, slots=True)
class SetAside:
    """An objective that no step could be held against, and why; it is decided when the search is over."""

    objective: str
    why: str


@dataclass(frozen=True, slots=True)
class SearchPart:
    """The one run of the study: the whole search."""

    label: str = SEARCH_PART
    outcome: Literal["planned", "measured"] = "planned"


@dataclass(frozen=True, slots=True)
class CapacityManifest:
    """The identity of a study; `searched` are objectives as written, times are seconds since the epoch.

    `changed` tells, a sentence each, in what the search's load differs from the scenario's.
    """

    scenario: str
    seed: int
    target: str
    options: SearchOptions
    searched: tuple[str, ...]
    set_aside: tuple[SetAside, ...]
    started_at: float
    command: str
    changed: tuple[str, ...] = ()
    parts: tuple[SearchPart, ...] = (SearchPart(),)
    ended_at: float | None = None
    complete: bool = False
    interrupted: bool = False
    kind: str = CAPACITY
    schema_version: int = SCHEMA_VERSION

    def write(self, path: Path) -> None:
        """Replace the file in one step, so that a reader sees the old or the new one whole."""
        write_object(asdict(self), path)

    @classmethod
    def read(cls, path: Path) -> Self:
        """The manifest in `path`; RunDirectoryProblem when it is damaged or of another format version."""
        return read_versioned(path, cls, _manifest_values)


@dataclass(frozen=True, slots=True)
class SearchStep:
    """One rate that was offered, in whole seconds of the run, the last one excluded.

    Seconds before `settled_s` were warm-up; what was seen between `settled_s` and `until_s` decided. `decided_by` is
    the objective that did, as written; `reason` is a sentence. `figures` has the share of bad requests, or the level,
    by objective.
    """

    index: int
    rate_per_s: float
    purpose: str
    from_s: int
    settled_s: int
    until_s: int
    outcome: StepOutcome
    reason: str
    decided_by: str | None = None
    figures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CapacityRecord:
    """capacity.json: what is known so far. Rates are sessions per second; `low_per_s` to `high_per_s` hold the capacity
    with `confidence`, and None is an end that nothing bounds.

    `found`: "at least", when nothing failed or the load went no higher; "below", when the lowest rate failed already.
    """

    found: Found
    rate_per_s: float | None
    low_per_s: float | None
    high_per_s: float | None
    confidence: float
    beyond: Beyond
    sentence: str
    steps: tuple[SearchStep, ...]
    schema_version: int = SCHEMA_VERSION

    def write(self, path: Path) -> None:
        """Replace the file in one step; NaN and infinity are a ValueError."""
        write_object(asdict(self), path)

    @classmethod
    def read(cls, path: Path) -> Self:
        """The record in `path`; RunDirectoryProblem when it is damaged or of another format version."""
        return read_versioned(path, cls, _record_values)


def _manifest_values(values: Mapping[str, Any]) -> dict[str, Any]:  # from JSON's types to the dataclass's
    return {
        **values,
        "options": SearchOptions(**values["options"]),
        "searched": tuple(values["searched"]),
        "set_aside": tuple(SetAside(**entry) for entry in values["set_aside"]),
        "changed": tuple(values["changed"]),
        "parts": tuple(_part(entry) for entry in values["parts"]),
        "started_at": float(values["started_at"]),
    }


def _part(entry: Mapping[str, Any]) -> SearchPart:
    part = SearchPart(**entry)
    check_label(part.label)
    return part


def _record_values(values: Mapping[str, Any]) -> dict[str, Any]:
    return {**values, "steps": tuple(SearchStep(**entry) for entry in values["steps"])}
