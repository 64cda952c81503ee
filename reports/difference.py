"""A difference between runs as documents: a page of its own, Markdown for a CI job, rows for a terminal.

Not to be confused with reports.comparison, which shows edge profiles of one study side by side.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from jinja2 import Environment

from analysis.difference.difference import Difference
from analysis.difference.judging import Compared
from analysis.difference.uncertainty import ALARM_RATIO
from analysis.steady_seconds import ALL
from reports import difference_wording, wording
from reports.charts.changes import changes
from reports.html import environment


@dataclass(frozen=True, slots=True)
class Group:
    """The figures of one page kind."""

    heading: str
    figures: tuple[Compared, ...]


def html(difference: Difference) -> str:
    """The page, self-contained."""
    return _rendered(
        "difference.html",
        difference,
        chart=changes(difference),
    )


def markdown(difference: Difference) -> str:
    """The page of a CI job in GitHub's Markdown; escaped as HTML, since Markdown is a superset of it."""
    return _rendered("difference.md", difference)


def groups(difference: Difference) -> Iterator[Group]:
    """The figures by page kind, all requests first; kinds none of whose figures could be judged come last."""
    kinds = list(dict.fromkeys(each.figure.page_kind for each in difference.figures))
    for kind in [*(kind for kind in kinds if kind == ALL), *wording.page_kinds(dict.fromkeys(kinds))]:
        yield Group(
            "all requests" if kind == ALL else kind,
            tuple(each for each in difference.figures if each.figure.page_kind == kind),
        )


def _rendered(name: str, difference: Difference, **more: object) -> str:
    templates = _environment()
    return templates.get_template(name).render(
        difference=difference,
        manifest=difference.manifest,
        answer=difference_wording.answer(difference),
        limits=difference_wording.limits(difference),
        groups=list(groups(difference)),
        VERDICTS=difference_wording.VERDICTS,
        MARKS=difference_wording.MARKS,
        alarm_ratio=ALARM_RATIO,
        **more,
    )


def _environment() -> Environment:
    templates = environment()
    words = difference_wording
    templates.globals.update(
        name_of=words.name,
        value_of=words.value,
        change_of=words.change,
        interval_of=words.interval,
        needed_of=words.needed,
        label_of=words.label,
        smallest_of=_smallest,
    )
    return templates


def _smallest(compared: Compared) -> str:
    if compared.smallest is None:
        return wording.NOTHING
    return difference_wording.points(compared.figure, compared.smallest)
