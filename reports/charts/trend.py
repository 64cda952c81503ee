"""Chart of runs over time, a band a figure: dots on their intervals, a line where the level changed."""

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from analysis.difference.figures import CONVERSION, FAILED, GOODPUT, Figure
from analysis.difference.trend import FOLLOWED, Trend
from reports import difference_wording as words
from reports import wording
from reports.charts import timeline
from reports.charts.canvas import Chart, Sheet, chart
from reports.charts.palette import LIGHT

_COLOURS = {"p95": "blue", FAILED: "red", GOODPUT: "green", CONVERSION: "purple"}
_TITLES = {
    "p95": "p95 of all requests, ms",
    FAILED: "failed requests, percent",
    GOODPUT: "goodput, requests per second",
    CONVERSION: "conversion, percent",
}
_BAND_PX = 120


def trend(trend: Trend) -> Chart | None:
    """Runs stand side by side in the order of their start; None when there is none."""
    shown = [figure for figure in FOLLOWED if any(point.figures[figure].value is not None for point in trend.points)]
    if not shown:
        return None

    def draw(sheet: Sheet) -> None:
        bands = sheet.axes((1,) * len(shown), left=48)
        for axes, figure in zip(bands, shown, strict=True):
            _band(axes, trend, figure)
            timeline.from_zero(axes, at_least=0.5 if figure.name == FAILED else 0.0, ticks=3)
            timeline.heading(axes, _TITLES[figure.name], [])
            axes.yaxis.set_major_formatter(FuncFormatter(timeline.plain_number))
            axes.tick_params(axis="x", labelbottom=axes is bands[-1])
        _dates(bands[-1], trend, 3 if sheet.narrow else 7)

    names = ", ".join(words.label(figure) for figure in shown)
    alt = f"{names} of {len(trend.points)} runs by the time of their start, with 95 % intervals."
    height = _BAND_PX * len(shown) + 40
    return chart("trend", alt, draw, wide_height=height, narrow_height=height)


def _band(axes: Axes, trend: Trend, figure: Figure) -> None:
    colour = LIGHT[_COLOURS[figure.name]]
    for at, point in enumerate(trend.points):
        estimate = point.figures[figure]
        low, value, high = (_scaled(figure, number) for number in (estimate.low, estimate.value, estimate.high))
        axes.plot([at, at], [low, high], color=colour, linewidth=5, alpha=0.3, solid_capstyle="butt", zorder=1)
        axes.plot(at, value, "o", color=colour, markersize=6, markeredgewidth=0, zorder=2)
    for change in trend.changes:
        if change.figure == figure:
            axes.axvline(change.at - 0.5, color=LIGHT["fault"], linewidth=1.6, zorder=3)


def _scaled(figure: Figure, number: float | None) -> float:
    """What the axis shows; a gap where there is nothing."""
    if number is None:
        return math.nan
    return 100 * number if figure.name in (FAILED, CONVERSION) else number


def _dates(axes: Axes, trend: Trend, most: int) -> None:
    """Days below the runs, as many as fit."""
    axes.set_xlim(-0.6, len(trend.points) - 0.4)
    axes.xaxis.set_major_locator(MaxNLocator(most, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(_Dates([point.started_at for point in trend.points])))


class _Dates:
    """The day and time of the run at a place."""

    def __init__(self, instants: Sequence[float]) -> None:
        self._instants = instants

    def __call__(self, value: float, _position: int | None = None) -> str:
        place = round(value)
        if abs(value - place) > 0.01 or not 0 <= place < len(self._instants):
            return ""
        return wording.utc(self._instants[place])[5:16]
