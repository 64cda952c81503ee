"""From a recorded run to its figures, verdict and documents; all is computed before the first file is replaced."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from loadgen.exitcodes import ExitCode
from loadgen.rundir import RunDirectory

if TYPE_CHECKING:
    from analysis.run import Analysis


@dataclass(frozen=True, slots=True)
class Answer:
    """What a run came to: the verdict's sentence, the report, and the exit code that says so."""

    sentence: str
    report: Path
    code: ExitCode


def draw(run: RunDirectory) -> Answer:
    """Analyse a run and write summary.json, verdict.json, report.html, summary.md and junit.xml into it.

    Raises RunDirectoryProblem, and writes nothing, when the run is damaged; EnvironmentProblem when the disk is full.
    """
    import analysis.run  # noqa: PLC0415 - pandas and matplotlib take a second to load
    import reports  # noqa: PLC0415

    analysed = analysis.run.analyse(run)
    run.replace(analysis.run.documents(run, analysed) | reports.documents(run, analysed))
    return answer_of(run, analysed)


def answer_of(run: RunDirectory, analysed: "Analysis") -> Answer:
    """What an analysed run came to."""
    from reports import wording  # noqa: PLC0415

    verdict = analysed.verdict
    sentence = f"{verdict.verdict}: {wording.answer(analysed)}"
    if verdict.verdict == "unknown":
        sentence += f" {verdict.reasons[0]}"
    return Answer(sentence, run.report, exit_code(verdict.verdict, verdict.cause))


def exit_code(outcome: str, cause: str | None) -> ExitCode:
    """The exit code of a verdict; a refused target and an interruption have codes of their own."""
    if cause == "target_refused":
        return ExitCode.USAGE
    if cause == "interrupted":
        return ExitCode.INTERRUPTED
    return {"pass": ExitCode.PASS, "fail": ExitCode.FAIL}.get(outcome, ExitCode.UNKNOWN)
