"""summary.md: a CI job's page, from an Analysis."""

from analysis.run import Analysis
from reports import wording
from reports.baseline import Baseline
from reports.html import environment


def render(analysis: Analysis, baseline: Baseline | None = None) -> str:
    """The page in GitHub's Markdown; escaped as HTML, since Markdown is a superset of it."""
    return (
        environment()
        .get_template("summary.md")
        .render(
            run=analysis,
            baseline=baseline,
            manifest=analysis.manifest,
            summary=analysis.summary,
            answer=wording.answer(analysis),
        )
    )
