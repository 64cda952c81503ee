"""`lonjak report RUN`: draws a run's or a study's figures, verdict and documents again from its files."""

from pathlib import Path

import click

from loadgen.capacity_study import CAPACITY
from loadgen.exitcodes import ExitCode
from loadgen.rundir import RunDirectory
from loadgen.studydir import StudyDirectory, is_study
from lonjak.capacity.documents import draw_capacity
from lonjak.documents import Answer, draw
from lonjak.progress import Progress
from lonjak.study_documents import draw_parts, draw_study

_EXAMPLES = """\b
Examples:
  lonjak report runs/evening/20261123T081500Z
  lonjak report runs/edge-compare/20261123T081500Z
  lonjak report runs/capacity/20261123T081500Z"""

_BADNESS = (ExitCode.PASS, ExitCode.UNKNOWN, ExitCode.FAIL, ExitCode.USAGE)


@click.command("report", epilog=_EXAMPLES)
@click.argument("runs", metavar="RUN...", nargs=-1, required=True, type=click.Path(path_type=Path))
def command(runs: tuple[Path, ...]) -> ExitCode:
    """Draw summary.json, verdict.json, report.html, summary.md and junit.xml again, from the files alone.

    RUN is a run or a study; of a study, its parts are drawn too. Ends as the run's verdict says, with several runs as
    the worst one's: 1 before 3 before 0.
    """
    codes = [ExitCode.PASS]
    with Progress() as progress:
        for found in [_opened(path) for path in runs]:
            answer = _draw(found, progress)
            progress.say(answer.sentence)
            click.echo(answer.report)
            codes.append(ExitCode.UNKNOWN if answer.code is ExitCode.INTERRUPTED else answer.code)
    return max(codes, key=_BADNESS.index)


def _opened(path: Path) -> RunDirectory:
    return StudyDirectory.open(path) if is_study(path) else RunDirectory.open(path)


def _draw(found: RunDirectory, progress: Progress) -> Answer:
    if not isinstance(found, StudyDirectory):
        progress.start(f"analysing {found.path}")
        return draw(found)
    if found.kind == CAPACITY:
        progress.start(f"analysing {found.path}")
        return draw_capacity(found)
    draw_parts(found, only_missing=False, say=lambda run: progress.start(f"analysing {run.path}"))
    progress.start(f"comparing the parts of {found.path}")
    return draw_study(found).answer
