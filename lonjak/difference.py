"""Comparing runs, and where the answer is put: a directory of its own, or that of the run that was compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from loadgen.errors import RunDirectoryProblem
from loadgen.exitcodes import ExitCode
from loadgen.rundir import RunDirectory
from loadgen.studydir import is_study

if TYPE_CHECKING:
    from analysis.difference.difference import Difference

KIND = "compare"
COMPARE_JSON = "compare.json"
_CODES: Mapping[str, ExitCode] = {"pass": ExitCode.PASS, "fail": ExitCode.FAIL, "unknown": ExitCode.UNKNOWN}


@dataclass(frozen=True, slots=True)
class Told:
    """What a comparison came to: the sentence, the exit code, and what it stands on."""

    sentence: str
    code: ExitCode
    limits: tuple[str, ...]
    difference: "Difference"


def open_runs(paths: Sequence[Path]) -> list[RunDirectory]:
    """The runs at these paths; RunDirectoryProblem when one is none."""
    for path in paths:
        if path.is_dir() and is_study(path):
            raise RunDirectoryProblem(f"{path} is a study: name runs in it, such as {path / 'parts'}/*-nginx")
    return [RunDirectory.open(path) for path in paths]


def compare(
    a: Sequence[RunDirectory], b: Sequence[RunDirectory], allowed: Sequence[str], margin_ratio: float | None = None
) -> Told:
    """Compares runs; raises UsageProblem when they are unlike, or one of them is damaged."""
    from analysis.difference.difference import compare as differ  # noqa: PLC0415 - pandas takes a second to load
    from analysis.difference.judging import MARGIN_RATIO  # noqa: PLC0415
    from reports import difference_wording as words  # noqa: PLC0415

    found = differ(a, b, allowed=allowed, margin_ratio=MARGIN_RATIO if margin_ratio is None else margin_ratio)
    sentence = f"{words.VERDICTS[found.verdict].lower()}: {words.answer(found)}"
    return Told(sentence, _CODES[found.verdict], tuple(words.limits(found)), found)


def write(told: Told, out: Path, now: datetime | None = None) -> RunDirectory:
    """Puts report.html, summary.md and compare.json into a new directory below `out`."""
    from analysis.difference.difference import document  # noqa: PLC0415
    from reports import difference as drawn  # noqa: PLC0415

    place = RunDirectory.create(out, KIND, now or datetime.now(UTC))
    place.replace(
        {
            place.report: drawn.html(told.difference),
            place.summary_md: drawn.markdown(told.difference),
            place.path / COMPARE_JSON: document(told.difference),
        }
    )
    return place
