"""`lonjak report RUN`: draws a run's figures, verdict and documents again from its files."""

from pathlib import Path

import click

from loadgen.rundir import RunDirectory
from lonjak.documents import draw
from lonjak.progress import Progress


@click.command("report", epilog="Example: lonjak report runs/evening/20261123T081500Z")
@click.argument("runs", metavar="RUN...", nargs=-1, required=True, type=click.Path(path_type=Path))
def command(runs: tuple[Path, ...]) -> None:
    """Draw summary.json, verdict.json, report.html, summary.md and junit.xml again, from the files alone."""
    with Progress() as progress:
        for run in [RunDirectory.open(path) for path in runs]:
            progress.start(f"analysing {run.path}")
            answer = draw(run)
            progress.say(answer.sentence)
            click.echo(answer.report)
