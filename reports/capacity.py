"""A capacity study as documents: report.html, summary.md and junit.xml."""

from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment

from analysis.capacity import CapacityAnalysis
from loadgen.studydir import StudyDirectory
from reports import capacity_junit, capacity_wording
from reports.charts import capacity as pictures
from reports.charts.canvas import Chart
from reports.html import environment


@dataclass(frozen=True, slots=True)
class Charts:
    """The charts of the page; None where there was nothing to draw."""

    goodput: Chart | None
    response_times: Chart | None
    cores: Chart | None


def documents(study: StudyDirectory, analysis: CapacityAnalysis) -> dict[Path, str]:
    """The texts of the three documents; the same analysis gives the same bytes."""
    return {
        study.report: html(analysis),
        study.summary_md: markdown(analysis),
        study.junit: capacity_junit.render(analysis),
    }


def html(analysis: CapacityAnalysis) -> str:
    """The page, self-contained but for a link to the run's own report beside it."""
    return _rendered(
        environment(),
        "capacity.html",
        analysis,
        charts=Charts(pictures.goodput(analysis), pictures.response_times(analysis), pictures.cores(analysis)),
    )


def markdown(analysis: CapacityAnalysis) -> str:
    """The page of a CI job in GitHub's Markdown; escaped as HTML, since Markdown is a superset of it."""
    templates = environment()
    return _rendered(templates, "capacity.md", analysis)


def _rendered(templates: Environment, name: str, analysis: CapacityAnalysis, **more: object) -> str:
    words = capacity_wording
    templates.filters.update(rate=words.rate, reason=words.reason)
    templates.globals.update(interval=words.interval, PURPOSES=words.PURPOSES, OUTCOMES=words.OUTCOMES)
    return templates.get_template(name).render(
        study=analysis,
        manifest=analysis.manifest,
        record=analysis.record,
        curve=analysis.curve,
        versions=analysis.run.manifest.versions,
        answer=words.answer(analysis),
        reasons=words.reasons(analysis),
        gave_out=words.gave_out(analysis),
        cores=words.cores,
        **more,
    )
