"""A study's manifest while its parts are being run: what stands on disk is true after every step."""

from dataclasses import replace
from pathlib import Path
from typing import Literal

from loadgen.edge_comparison import Calibration, StudyManifest, StudyPart
from loadgen.errors import EnvironmentProblem
from loadgen.studydir import StudyDirectory


class CannotRecord(EnvironmentProblem):
    """Nothing more can be written below --out, so that a study cannot go on."""

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(f"cannot record into {path}: {error.strerror or error}; free some space or give --out DIR")


class StudyRecord:
    """Writes the manifest anew with everything that becomes known. Each step raises CannotRecord when it cannot."""

    def __init__(self, study: StudyDirectory, manifest: StudyManifest) -> None:
        self.study = study
        self.manifest = manifest
        self._keep(manifest)

    @property
    def measured(self) -> tuple[StudyPart, ...]:
        """The parts of which a run was recorded so far."""
        return tuple(part for part in self.manifest.parts if part.outcome == "measured")

    def calibrated(self, calibration: Calibration) -> None:
        """How the rate was chosen."""
        self._keep(replace(self.manifest, calibration=calibration))

    def part_ended(self, part: StudyPart, outcome: Literal["measured", "failed"], problem: str | None = None) -> None:
        """What became of a part."""
        ended = replace(part, outcome=outcome, problem=problem)
        parts = tuple(ended if known.label == part.label else known for known in self.manifest.parts)
        self._keep(replace(self.manifest, parts=parts))

    def close(self, ended_at: float, *, interrupted: bool) -> None:
        """The study has ended, `ended_at` seconds since the epoch; complete unless it was interrupted."""
        self._keep(replace(self.manifest, ended_at=ended_at, interrupted=interrupted, complete=not interrupted))

    def _keep(self, manifest: StudyManifest) -> None:
        self.manifest = manifest
        try:
            manifest.write(self.study.manifest)
        except OSError as error:
            self.study.manifest.with_name(self.study.manifest.name + ".new").unlink(missing_ok=True)
            raise CannotRecord(self.study.path, error) from None
