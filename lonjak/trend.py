"""All runs below a folder over time: a table for the terminal, a page, and what can be told of changes."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from loadgen.errors import RunDirectoryProblem
from loadgen.exitcodes import ExitCode
from loadgen.rundir import RunDirectory
from loadgen.studydir import is_study

KIND = "trend"
TREND_JSON = "trend.json"


@dataclass(frozen=True, slots=True)
class ToldTrend:
    """What a folder's runs came to. A trend judges nothing: its exit code is 0, or 3 with fewer than two runs."""

    table: str
    sentences: tuple[str, ...]
    report: Path
    code: ExitCode


def follow(folder: Path, allowed: tuple[str, ...], out: Path) -> ToldTrend:
    """Follows all runs below a folder and writes report.html, summary.md and trend.json into a new directory.

    Raises RunDirectoryProblem when there is no run.
    """
    from analysis.difference import trend as following  # noqa: PLC0415 - pandas takes a second to load
    from reports import trend as drawn  # noqa: PLC0415

    found = following.follow(runs_below(folder), allowed)
    place = RunDirectory.create(out, KIND, datetime.now(UTC))
    place.replace(
        {
            place.report: drawn.html(found),
            place.summary_md: drawn.markdown(found),
            place.path / TREND_JSON: following.document(found),
        }
    )
    code = ExitCode.PASS if len(found.points) > 1 else ExitCode.UNKNOWN
    return ToldTrend(drawn.table(found), (*drawn.left_out(found), drawn.answer(found)), place.report, code)


def runs_below(folder: Path) -> list[RunDirectory]:
    """Every run below a folder, parts of studies left out; they are of loads of their own."""
    if not folder.is_dir():
        raise RunDirectoryProblem(f"{folder} is not a folder: name one that holds runs, such as runs/evening")
    found = sorted(path.parent for path in folder.rglob("manifest.json"))
    studies = {path for path in found if is_study(path)}
    runs = [RunDirectory(path) for path in found if path not in studies and not studies & set(path.parents)]
    if not runs:
        raise RunDirectoryProblem(f"there is no run below {folder}: record some with `lonjak run`, or name another")
    return runs
