"""A study's directory `runs/<kind>/<UTC>/`: a manifest of its kind, and a whole run in each `parts/NN-label/`.

Each kind of study has a manifest of its own, in a module of its own; KINDS is their register.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Protocol, Self

from loadgen.capacity_study import CAPACITY, CapacityManifest
from loadgen.edge_comparison import EDGE_COMPARE, StudyManifest
from loadgen.errors import RunDirectoryProblem
from loadgen.rundir import RunDirectory
from loadgen.study_file import read_object

KINDS: Mapping[str, Callable[[Path], object]] = MappingProxyType(
    {EDGE_COMPARE: StudyManifest.read, CAPACITY: CapacityManifest.read}
)
"""What reads the manifest of each kind, and raises RunDirectoryProblem where it is damaged."""


class Part(Protocol):
    """A run of a study."""

    @property
    def label(self) -> str:
        """Its directory's name."""


class StudyDirectory(RunDirectory):
    """The paths of a study's files; its documents have the names that a run's have."""

    __slots__ = ()

    @classmethod
    def open(cls, path: Path) -> Self:
        """An existing study; RunDirectoryProblem when it is none, damaged, or of another format version."""
        if (kind := kind_of(path)) is None:
            raise RunDirectoryProblem(f"{path} is not a study: its manifest.json names none of {', '.join(KINDS)}")
        study = cls(path)
        KINDS[kind](study.manifest)
        return study

    @property
    def kind(self) -> str | None:
        """Which of KINDS it is; None when it is none."""
        return kind_of(self.path)

    @property
    def calibration(self) -> RunDirectory:
        """The short run by which the rate was chosen; absent when a rate was given."""
        return RunDirectory(self.path / "calibration")

    @property
    def capacity(self) -> Path:
        """What a search for the capacity did, step by step; of that kind of study only."""
        return self.path / "capacity.json"

    def part(self, part: Part) -> RunDirectory:
        """The run of a part."""
        return RunDirectory(self.path / "parts" / part.label)


def part_label(number: int, name: str) -> str:
    """The directory of the part that was run as the `number`th, from 1: 01-nginx."""
    return f"{number:02}-{name}"


def kind_of(path: Path) -> str | None:
    """Which kind of study a directory's manifest names; None for a run, and where there is none to be read."""
    try:
        kind = read_object(path / "manifest.json").get("kind")
    except RunDirectoryProblem:
        return None
    return kind if isinstance(kind, str) and kind in KINDS else None


def is_study(path: Path) -> bool:
    """Whether a directory's manifest is that of a study; False for a run, and where there is none to be read."""
    return kind_of(path) is not None
