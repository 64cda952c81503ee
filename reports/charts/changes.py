"""Chart of a difference: the change of each figure over all requests, on its interval; None where none was judged."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from analysis.difference.difference import Difference
from analysis.difference.judging import Compared
from analysis.steady_seconds import ALL
from reports import difference_wording as words
from reports.charts import timeline
from reports.charts.canvas import Chart, Sheet, chart
from reports.charts.palette import LIGHT

_ROW_PX = 32
_CHARACTER_PX = 7.2
_COLOURS = {"regression": "red", "improvement": "green"}
# An interval may be very long; beyond this no reader looks.
_MOST_PERCENT = 120.0


def changes(difference: Difference) -> Chart | None:
    """Changes in percent with the margin shaded; those of failures are points of another scale, and left out."""
    drawn = [
        each
        for each in difference.figures
        if each.figure.page_kind == ALL and each.change is not None and each.figure.is_relative
    ]
    if not drawn:
        return None

    def draw(sheet: Sheet) -> None:
        (axes,) = sheet.axes(left=_left(drawn))
        shade = 100 * difference.margin_ratio
        axes.axvspan(-shade, shade, color=LIGHT["grey"], alpha=0.18, linewidth=0, zorder=0.5)
        axes.axvline(0, color=LIGHT["muted"], linewidth=1, zorder=0.6)
        for row, compared in enumerate(drawn):
            _mark(axes, row, compared)
        _dress(axes, drawn)
        timeline.heading(axes, "change from A to B, percent", [])

    alt = "Change of each figure over all requests from A to B, in percent, on its interval: " + "; ".join(
        f"{words.name(each.figure)} {words.change(each.figure, each.change)} ({words.interval(each)})" for each in drawn
    )
    height = _ROW_PX * len(drawn) + 66
    return chart("changes", f"{alt}.", draw, wide_height=height, narrow_height=height)


def _mark(axes: Axes, row: int, compared: Compared) -> None:
    colour = LIGHT[_COLOURS.get(compared.outcome, "grey")]
    low, high = (_shown(bound) for bound in (compared.low, compared.high))
    axes.plot([low, high], [row, row], color=colour, linewidth=7, alpha=0.35, solid_capstyle="butt", zorder=1)
    axes.plot(_shown(compared.change), row, "o", color=colour, markersize=9, markeredgewidth=0, zorder=2)


def _shown(change: float | None) -> float:
    return max(-_MOST_PERCENT, min(_MOST_PERCENT, 100 * (change or 0.0)))


def _dress(axes: Axes, drawn: Sequence[Compared]) -> None:
    axes.set_yticks(range(len(drawn)), [words.name(each.figure) for each in drawn])
    axes.set_ylim(len(drawn) - 0.4, -0.6)
    furthest = max(abs(_shown(bound)) for each in drawn for bound in (each.low, each.high))
    axes.set_xlim(-furthest * 1.08 - 1, furthest * 1.08 + 1)
    axes.grid(visible=True, axis="x")
    axes.grid(visible=False, axis="y")
    axes.xaxis.set_major_locator(MaxNLocator(6, min_n_ticks=3))
    axes.xaxis.set_major_formatter(FuncFormatter(_signed))


def _signed(value: float, _position: int | None = None) -> str:
    return timeline.plain_number(value) if abs(value) < 1e-9 else f"{value:+,.10g}".replace("-", "−")


def _left(drawn: Sequence[Compared]) -> float:
    return max(_CHARACTER_PX * len(words.name(each.figure)) for each in drawn) + 16
