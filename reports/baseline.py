"""What a comparison of a run with earlier ones came to, as it stands in the run's own documents.

`lonjak run --baseline` leaves it in the run's directory as baseline.json, so that `lonjak report` shows it again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from analysis import canonical
from analysis.difference.difference import Difference
from loadgen.errors import RunDirectoryProblem
from loadgen.records import strict_json
from loadgen.rundir import RunDirectory
from reports import difference_wording as words

SCHEMA_VERSION = 1
FILE, PAGE = "baseline.json", "comparison.html"
_MARKS = {"pass": "✅", "fail": "❌", "unknown": "❔"}


@dataclass(frozen=True, slots=True)
class Baseline:
    """The answer of a comparison: pass, fail (a regression) or unknown, with sentences; `page` shows every figure."""

    verdict: str
    answer: str
    limits: tuple[str, ...]
    page: str | None

    @property
    def word(self) -> str:
        """The verdict in words."""
        return words.VERDICTS[self.verdict].lower()

    @property
    def mark(self) -> str:
        """The verdict as a sign."""
        return _MARKS[self.verdict]


def of(difference: Difference) -> Baseline:
    """What a comparison came to."""
    head = words.answer(difference)
    limits = tuple(sentence for sentence in words.limits(difference) if sentence not in difference.doubts)
    return Baseline(difference.verdict, head, limits, PAGE)


def refused(why: str) -> Baseline:
    """A comparison that could not be made."""
    return Baseline("unknown", f"It was not compared: {why}.", (), None)


def document(baseline: Baseline) -> str:
    """The text of baseline.json."""
    return canonical.text(
        {
            "schema_version": SCHEMA_VERSION,
            "verdict": baseline.verdict,
            "answer": baseline.answer,
            "limits": list(baseline.limits),
            "page": baseline.page,
        }
    )


def path(run: RunDirectory) -> Path:
    """Where a run keeps it."""
    return run.path / FILE


def read(run: RunDirectory) -> Baseline | None:
    """The answer in a run's directory, None when it was compared with nothing; RunDirectoryProblem when damaged."""
    if not path(run).exists():
        return None
    try:
        values = strict_json(path(run).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunDirectoryProblem(f"{path(run)} is damaged: {error}") from None
    if not isinstance(values, Mapping) or values.get("schema_version") != SCHEMA_VERSION:
        raise RunDirectoryProblem(f"{path(run)} is damaged, or of another format version than {SCHEMA_VERSION}")
    verdict, answer, limits, page = (values.get(name) for name in ("verdict", "answer", "limits", "page"))
    if verdict not in words.VERDICTS or not isinstance(answer, str) or not isinstance(limits, list):
        raise RunDirectoryProblem(f"{path(run)} is damaged: it holds no answer")
    # Whatever the file says, a report leads to the one page that stands beside it.
    return Baseline(str(verdict), answer, tuple(map(str, limits)), PAGE if page == PAGE else None)
