"""Draws the documents of each run that somebody ends in the web UI, as soon as it is complete."""

from pathlib import Path

import click

from loadgen.errors import LonjakError
from loadgen.manifest import Manifest
from loadgen.rundir import RunDirectory
from lonjak.documents import draw


class Reporter:
    """Looks through one scenario's runs; those that were there at the start are left alone."""

    def __init__(self, runs: Path) -> None:
        self._runs = runs
        self._seen = set(runs.glob("*"))

    def look(self) -> None:
        """Report every run that has ended since the last look."""
        for path in sorted(set(self._runs.glob("*")) - self._seen):
            run = RunDirectory(path)
            if run.manifest.exists() and Manifest.read(run.manifest).ended_at is not None:
                self._seen.add(path)
                self._report(run)

    def _report(self, run: RunDirectory) -> None:
        try:
            answer = draw(run)
        except LonjakError as error:
            click.echo(f"lonjak: {error}", err=True)
            return
        click.echo(answer.sentence, err=True)
        click.echo(answer.report)
