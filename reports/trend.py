"""Runs over time as documents: a page, Markdown, a table for a terminal, and what changed in a sentence."""

from analysis.difference.trend import FOLLOWED, Change, Point, Trend
from reports import difference_wording as words
from reports import wording
from reports.charts.trend import trend as picture
from reports.html import environment

_HEADS = ("p95", "failed", "goodput", "conversion")
_MOST_TOLD = 12


def html(trend: Trend) -> str:
    """The page, self-contained."""
    return _rendered(
        "trend.html",
        trend,
        chart=picture(trend),
    )


def markdown(trend: Trend) -> str:
    """The page of a CI job in GitHub's Markdown."""
    return _rendered("trend.md", trend)


def table(trend: Trend) -> str:
    """A row a run, oldest first, for a terminal."""
    rows = [("run", "started", *_HEADS), *((point.run, *row) for point, row in _rows(trend))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(_set(text, widths[at], at) for at, text in enumerate(row)) for row in rows]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _set(text: str, width: int, column: int) -> str:
    """A cell of the table: names on the left, numbers on the right."""
    return text.ljust(width) if column < 2 else text.rjust(width)


def answer(trend: Trend) -> str:
    """What changed, or why nothing can be told, in a sentence."""
    count = len(trend.points)
    if trend.changes:
        return " ".join(sentence(trend, change) for change in trend.changes)
    runs = f"{count} {'run' if count == 1 else 'runs'}"
    if count < trend.least_runs:
        return f"{runs}: too few to tell a change from chance; {trend.least_runs} are needed."
    return f"No change of level in {runs} that chance would not explain."


def sentence(trend: Trend, change: Change) -> str:
    """One change, dated by the runs on either side of it."""
    moved = "rose" if change.after > change.before else "fell"
    figure, last, first = change.figure, trend.points[change.at - 1], trend.points[change.at]
    name = words.label(figure)
    return (
        f"{name[:1].upper() if not name.startswith('p9') else name[:1]}{name[1:]} {moved} from "
        f"{words.value(figure, change.before)} to {words.value(figure, change.after)} between "
        f"{wording.utc(last.started_at)} and {wording.utc(first.started_at)}."
    )


def left_out(trend: Trend) -> list[str]:
    """Runs that are not in it, the first dozen."""
    told = [f"Left out: {sentence}" for sentence in trend.left_out[:_MOST_TOLD]]
    more = len(trend.left_out) - len(told)
    return [*told, f"Left out: {more} more runs."] if more else told


def _rows(trend: Trend) -> list[tuple[Point, tuple[str, ...]]]:
    found: list[tuple[Point, tuple[str, ...]]] = []
    for point in trend.points:
        cells = (words.value(figure, point.figures[figure].value) for figure in FOLLOWED)
        found.append((point, (wording.utc(point.started_at), *cells)))
    return found


def _rendered(name: str, trend: Trend, **more: object) -> str:
    templates = environment()
    sold = any(point.figures[figure].value for point in trend.points for figure in FOLLOWED[-1:])
    return templates.get_template(name).render(
        trend=trend,
        answer=answer(trend),
        left_out=left_out(trend),
        figures=FOLLOWED if sold else FOLLOWED[:-1],
        heads=dict(zip(FOLLOWED, _HEADS, strict=True)),
        value_of=words.value,
        changed={(change.figure, change.at) for change in trend.changes},
        **more,
    )
