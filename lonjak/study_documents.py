"""From a recorded study to its figures, verdict and documents, those of its parts included."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from loadgen.edge_comparison import StudyManifest
from loadgen.rundir import RunDirectory
from loadgen.studydir import StudyDirectory
from lonjak.documents import Answer, answer_of, draw, exit_code

if TYPE_CHECKING:
    from analysis.comparison import Comparison


@dataclass(frozen=True, slots=True)
class DrawnStudy:
    """What a study came to, and the figures behind it."""

    study: StudyDirectory
    answer: Answer
    comparison: "Comparison"

    def part(self, profile: str) -> Answer | None:
        """What the first run of a profile came to; None when there was none."""
        for part in self.comparison.figures(profile).parts[:1]:
            return answer_of(self.study.part(part.part), part.analysis)
        return None

    def saved(self, profile: str, baseline: str) -> str | None:
        """What one profile saved beside another, in a sentence; None when either was not measured."""
        from reports import comparison_wording  # noqa: PLC0415

        ours, theirs = self.comparison.figures(profile), self.comparison.figures(baseline)
        return comparison_wording.saved(ours, theirs) if ours.parts and theirs.parts else None


def draw_study(study: StudyDirectory) -> DrawnStudy:
    """Compare a study's parts and write summary.json, verdict.json, report.html and summary.md into it.

    Raises RunDirectoryProblem, and writes nothing, when a part is damaged; EnvironmentProblem when the disk is full.
    """
    import analysis.comparison  # noqa: PLC0415 - pandas and matplotlib take a second to load
    import reports.comparison  # noqa: PLC0415
    from reports import comparison_wording  # noqa: PLC0415

    compared = analysis.comparison.compare(study)
    drawn = reports.comparison.documents(study, compared)
    study.replace(analysis.comparison.documents(study, compared) | drawn)
    verdict = compared.verdict
    sentence = f"{verdict.verdict}: {comparison_wording.answer(compared)}"
    if verdict.verdict != "pass":
        sentence += f" {verdict.reasons[0]}"
    return DrawnStudy(study, Answer(sentence, study.report, exit_code(verdict.verdict, verdict.cause)), compared)


def draw_parts(study: StudyDirectory, *, only_missing: bool, say: Callable[[RunDirectory], None]) -> None:
    """Draw the documents of every part that was measured, or of those that have none; `say` hears of each before."""
    for part in StudyManifest.read(study.manifest).parts:
        run = study.part(part)
        if part.outcome == "measured" and not (only_missing and run.report.exists()):
            say(run)
            draw(run)
