"""Numbers to documents: report.html, summary.md and junit.xml of a run; no arithmetic beyond formatting."""

from analysis.run import Analysis
from loadgen.rundir import RunDirectory
from reports import html, junit, markdown


def write_all(run: RunDirectory, analysis: Analysis) -> None:
    """Leaves the three documents in the run directory; the same analysis gives the same bytes."""
    run.report.write_text(html.render(analysis), encoding="utf-8")
    run.summary_md.write_text(markdown.render(analysis), encoding="utf-8")
    run.junit.write_text(junit.render(analysis), encoding="utf-8")
