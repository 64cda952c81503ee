"""From a recorded run and wishes to a plan and its documents."""

from pathlib import Path
from typing import TYPE_CHECKING

from loadgen.errors import EnvironmentProblem, RunDirectoryProblem
from loadgen.rundir import RunDirectory
from loadgen.studydir import StudyDirectory, is_study

if TYPE_CHECKING:
    from analysis.planning.measured import Measured
    from analysis.planning.planned import Plan
    from analysis.planning.wishes import Wishes
    from analysis.recording import Recording


def open_run(path: Path) -> RunDirectory:
    """The run to plan from; RunDirectoryProblem when it is none. Of a study, one part has to be named."""
    if is_study(path):
        parts = sorted(entry.name for entry in (StudyDirectory(path).path / "parts").glob("*"))
        part = path / "parts" / (parts[0] if parts else "NN-label")
        raise RunDirectoryProblem(f"{path} is a study of several runs: name one of its parts, such as {part}")
    return RunDirectory.open(path)


def read_run(run: RunDirectory) -> "tuple[Recording, Measured]":
    """What a run recorded, and what a plan needs of it; TooLittleKnown when the run does not tell."""
    from analysis.planning.measured import measured  # noqa: PLC0415 - pandas takes a second to load
    from analysis.recording import read  # noqa: PLC0415

    recording = read(run)
    return recording, measured(recording)


def draw_plan(recording: "Recording", measured: "Measured", wishes: "Wishes", folder: Path) -> "Plan":
    """Plan and write plan.json and plan.html into a folder; EnvironmentProblem when it cannot be written."""
    import reports.plan  # noqa: PLC0415 - matplotlib takes a second to load
    from analysis.planning.shop_plan import plan  # noqa: PLC0415

    planned = plan(recording.manifest, recording.objectives, measured, wishes)
    documents = reports.plan.documents(folder, planned)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        fresh = {path: path.with_name(path.name + ".new") for path in documents}
        for path, text in documents.items():
            fresh[path].write_text(text, encoding="utf-8")
        for path in documents:
            fresh[path].replace(path)
    except OSError as error:
        raise EnvironmentProblem(f"cannot write a plan into {folder}: {error.strerror}; give --out DIR") from None
    return planned
