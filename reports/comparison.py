"""A comparison as documents: report.html and summary.md of a study."""

from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment

from analysis.comparison import Comparison
from loadgen.edge_comparison import LOAD_LIMIT_RATIO
from loadgen.studydir import StudyDirectory
from reports import comparison_rows, comparison_wording
from reports.charts import profiles
from reports.charts.canvas import Chart
from reports.html import environment


@dataclass(frozen=True, slots=True)
class Charts:
    """The charts of the page; None where there was nothing to draw."""

    response_times: Chart | None
    origin_requests: Chart | None
    cpu: Chart | None


def documents(study: StudyDirectory, comparison: Comparison) -> dict[Path, str]:
    """The texts of both documents; the same comparison gives the same bytes."""
    return {study.report: html(comparison), study.summary_md: markdown(comparison)}


def html(comparison: Comparison) -> str:
    """The page, self-contained but for links to the parts' own reports beside it."""
    return _rendered(
        environment(),
        "comparison.html",
        comparison,
        charts=Charts(
            profiles.response_times(comparison), profiles.origin_requests(comparison), profiles.cpu(comparison)
        ),
    )


def markdown(comparison: Comparison) -> str:
    """The page of a CI job in GitHub's Markdown; escaped as HTML, since Markdown is a superset of it."""
    templates = environment()
    return _rendered(templates, "comparison.md", comparison)


def _rendered(templates: Environment, name: str, comparison: Comparison, **more: object) -> str:
    rows = comparison_rows
    return templates.get_template(name).render(
        comparison=comparison,
        manifest=comparison.manifest,
        answer=comparison_wording.answer(comparison),
        others=comparison_wording.others(comparison),
        uncertainties=comparison_wording.uncertainties(comparison),
        columns=rows.columns(comparison),
        overview=rows.overview(comparison),
        response_times=rows.response_times(comparison),
        caches=rows.caches(comparison),
        safety=rows.safety(comparison),
        expectations=rows.expectations(comparison),
        cpu=rows.cpu(comparison),
        load_limit=LOAD_LIMIT_RATIO,
        **more,
    )
