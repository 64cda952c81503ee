"""Numbers to documents: report.html, summary.md and junit.xml of a run; no arithmetic beyond formatting."""

from pathlib import Path

from analysis.run import Analysis
from loadgen.rundir import RunDirectory
from reports import baseline, html, junit, markdown


def documents(run: RunDirectory, analysis: Analysis) -> dict[Path, str]:
    """The texts of the three documents; the same analysis gives the same bytes."""
    against = baseline.read(run)
    return {
        run.report: html.render(analysis, against),
        run.summary_md: markdown.render(analysis, against),
        run.junit: junit.render(analysis),
    }
