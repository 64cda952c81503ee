"""Numbers to documents: report.html, summary.md and junit.xml of a run; no arithmetic beyond formatting."""

from pathlib import Path

from analysis.run import Analysis
from loadgen.rundir import RunDirectory
from reports import html, junit, markdown


def documents(run: RunDirectory, analysis: Analysis) -> dict[Path, str]:
    """The texts of the three documents; the same analysis gives the same bytes."""
    return {
        run.report: html.render(analysis),
        run.summary_md: markdown.render(analysis),
        run.junit: junit.render(analysis),
    }
