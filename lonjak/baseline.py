"""`lonjak run --baseline`: refused before any load where it could not be compared, compared after it."""

from collections.abc import Sequence
from pathlib import Path

from loadgen.config import Scenario
from loadgen.errors import UsageProblem
from loadgen.exitcodes import ExitCode
from loadgen.manifest import Manifest
from loadgen.rundir import RunDirectory
from lonjak.difference import COMPARE_JSON, compare, open_runs
from lonjak.documents import Answer, draw

# What the run itself came to where it proves nothing or was not one; a comparison changes nothing in it.
_FINAL = (ExitCode.INTERRUPTED, ExitCode.USAGE, ExitCode.ENVIRONMENT)
_WORST_FIRST = (ExitCode.FAIL, ExitCode.USAGE, ExitCode.UNKNOWN, ExitCode.PASS)


def check(paths: Sequence[Path], scenario: Scenario, allowed: Sequence[str]) -> list[RunDirectory]:
    """The runs to compare with.

    UsageProblem when one is known beforehand to be of another load, RunDirectoryProblem when one is none or damaged.
    """
    if allowed and not paths:
        raise UsageProblem("--allow says in what a --baseline may differ: name one")
    runs = open_runs(paths)
    for run in runs:
        _read(run)
        manifest, load = Manifest.read(run.manifest), scenario.load
        planned = {
            "scenario": (manifest.scenario, scenario.name),
            "rate": (f"{manifest.plan.rate_per_s:g}", f"{load.rate_per_s:g}"),
            "duration": (f"{manifest.plan.duration_s:g}", f"{load.duration_s:g}"),
        }
        unlike = [field for field, (theirs, ours) in planned.items() if theirs != ours and field not in allowed]
        if unlike and load.has_rate:
            told = ", ".join(f"{field} {planned[field][0]}, not {planned[field][1]}" for field in unlike)
            hint = " ".join(f"--allow {field}" for field in unlike)
            raise UsageProblem(f"the baseline {run.path} is of another load: {told}; run that load, or give {hint}")
    return runs


def _read(run: RunDirectory) -> None:
    """Whether it can be read at all is known now, not only after an hour of load."""
    from analysis.recording import read  # noqa: PLC0415 - pandas takes a second to load

    read(run)


def judge(answer: Answer, baselines: Sequence[RunDirectory], allowed: Sequence[str]) -> Answer:
    """Compares the run that came to `answer` with its baselines, and puts what that came to into its documents."""
    if not baselines or answer.code in _FINAL:
        return answer
    from reports import baseline as told_of  # noqa: PLC0415 - pandas and matplotlib take a second to load

    run = RunDirectory(answer.report.parent)
    try:
        told = compare(baselines, [run], allowed)
    except UsageProblem as problem:
        refused = told_of.refused(str(problem))
        return _with(answer, run, {told_of.path(run): told_of.document(refused)}, refused.answer, ExitCode.USAGE)
    from analysis.difference.difference import document  # noqa: PLC0415
    from reports import difference as drawn  # noqa: PLC0415

    texts = {
        told_of.path(run): told_of.document(told_of.of(told.difference)),
        run.path / told_of.PAGE: drawn.html(told.difference),
        run.path / COMPARE_JSON: document(told.difference),
    }
    return _with(answer, run, texts, told.sentence, told.code)


def _with(answer: Answer, run: RunDirectory, texts: dict[Path, str], sentence: str, code: ExitCode) -> Answer:
    """The answer with a second sentence, and the worse of two exit codes."""
    run.replace(texts)
    draw(run)
    worse = next(each for each in _WORST_FIRST if each in (answer.code, code))
    return Answer(f"{answer.sentence}\nagainst the baseline: {sentence}", answer.report, worse)
