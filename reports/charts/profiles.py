"""Charts of a comparison, a row a profile: pure functions of its figures; None where there is nothing to draw."""

from collections.abc import Callable, Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from analysis.bootstrap import Estimate
from analysis.compared import ProfileFigures
from analysis.comparison import Comparison
from analysis.steady_seconds import CATALOGUE
from reports.charts import timeline
from reports.charts.canvas import NARROW_PX, WIDE_PX, Chart, Sheet, chart
from reports.charts.palette import LIGHT

_ROW_PX = 34
_LINE_PX = 17
_CHARACTER_PX = 7.0
_PERCENTILES = {"p50": "green", "p95": "blue"}
# From the shopper's side to the shop's, as requests pass them.
TIERS: Mapping[str, str] = {
    "front": "red",
    "edge": "sky",
    "shield": "green",
    "link": "grey",
    "shop": "blue",
    "database": "orange",
    "payment": "purple",
    "purger": "fault",
    "backoffice": "muted",
}
_OTHER_TIER = "ink"


def response_times(comparison: Comparison) -> Chart | None:
    """Median and p95 of catalogue pages, each as a dot on its interval."""

    def mark(axes: Axes, row: int, figures: ProfileFigures) -> None:
        for percentile, colour in _PERCENTILES.items():
            estimate = figures.response(CATALOGUE, percentile)
            if bounds := _bounds(estimate):
                axes.plot(
                    bounds, [row, row], color=LIGHT[colour], linewidth=7, alpha=0.28, solid_capstyle="butt", zorder=1
                )
            if estimate.value is not None:
                axes.plot(estimate.value, row, "o", color=LIGHT[colour], markersize=9, markeredgewidth=0, zorder=2)

    drawn = [figures for figures in comparison.profiles if figures.response(CATALOGUE, "p50").value is not None]
    alt = (
        "Median and 95th percentile of the response time of catalogue pages by profile, with their 95 % intervals, in "
        "milliseconds."
    )
    legend = list(_PERCENTILES.items())
    return _rows(drawn, mark, name="compared-response", alt=alt, unit="milliseconds", legend=legend)


def origin_requests(comparison: Comparison) -> Chart | None:
    """Requests that the shop answered per second, as a bar with its interval."""

    def mark(axes: Axes, row: int, figures: ProfileFigures) -> None:
        estimate = figures.origin_per_s
        axes.barh(row, estimate.value or 0.0, height=0.55, color=LIGHT["green"], alpha=0.6, linewidth=0, zorder=1)
        if bounds := _bounds(estimate):
            axes.plot(bounds, [row, row], color=LIGHT["ink"], linewidth=1.4, zorder=2)

    drawn = [figures for figures in comparison.profiles if figures.origin_per_s.value is not None]
    alt = "Requests per second that the shop had to answer, by profile, with their 95 % intervals."
    return _rows(drawn, mark, name="compared-origin", alt=alt, unit="requests per second")


def cpu(comparison: Comparison) -> Chart | None:
    """Seconds of processor time per 1,000 requests, stacked by tier."""
    drawn = [figures for figures in comparison.profiles if figures.cpu_total.value]
    found = {tier for figures in drawn for tier in figures.cpu_s_per_1000}
    tiers = [*(tier for tier in TIERS if tier in found), *sorted(found - set(TIERS))]
    if not drawn:
        return None

    def draw(sheet: Sheet) -> None:
        lines = _legend_lines(tiers, NARROW_PX if sheet.narrow else WIDE_PX)
        (axes,) = sheet.axes(left=_left(drawn), top=26 + _LINE_PX * len(lines))
        for row, figures in enumerate(drawn):
            left = 0.0
            for tier in tiers:
                cores = figures.cpu_s_per_1000[tier].value if tier in figures.cpu_s_per_1000 else None
                axes.barh(row, cores or 0.0, 0.55, left, color=LIGHT[_colour(tier)], linewidth=0, zorder=1)
                left += cores or 0.0
        _dress(axes, drawn)
        _legend(axes, lines, _left(drawn))

    alt = f"Seconds of processor time per 1,000 requests by profile, of {', '.join(tiers)}."
    wide, narrow = (
        _ROW_PX * len(drawn) + _LINE_PX * len(_legend_lines(tiers, width)) + 66 for width in (WIDE_PX, NARROW_PX)
    )
    return chart("compared-cpu", alt, draw, wide_height=wide, narrow_height=narrow)


def _rows(
    drawn: Sequence[ProfileFigures],
    mark: Callable[[Axes, int, ProfileFigures], None],
    *,
    name: str,
    alt: str,
    unit: str,
    legend: Sequence[tuple[str, str]] = (),
) -> Chart | None:
    """A row for each of these profiles."""
    if not drawn:
        return None

    def draw(sheet: Sheet) -> None:
        (axes,) = sheet.axes(left=_left(drawn))
        for row, figures in enumerate(drawn):
            mark(axes, row, figures)
        _dress(axes, drawn)
        timeline.heading(axes, unit, legend)

    height = _ROW_PX * len(drawn) + 66
    return chart(name, alt, draw, wide_height=height, narrow_height=height)


def _bounds(estimate: Estimate) -> list[float]:
    """The two ends of an interval, empty where there is none."""
    return [] if estimate.low is None or estimate.high is None else [estimate.low, estimate.high]


def _dress(axes: Axes, drawn: Sequence[ProfileFigures]) -> None:
    """Names of profiles on the left, a value axis from zero below."""
    axes.set_yticks(range(len(drawn)), [figures.profile.name for figures in drawn])
    axes.set_ylim(len(drawn) - 0.4, -0.6)
    axes.set_xlim(0, max(axes.dataLim.x1, 1e-9) * 1.06)
    axes.grid(visible=True, axis="x")
    axes.grid(visible=False, axis="y")
    axes.xaxis.set_major_locator(MaxNLocator(5, min_n_ticks=2))
    axes.xaxis.set_major_formatter(FuncFormatter(timeline.plain_number))


def _left(drawn: Sequence[ProfileFigures]) -> float:
    return max(_CHARACTER_PX * len(figures.profile.name) for figures in drawn) + 16


def _legend_lines(tiers: Sequence[str], width_px: float) -> list[list[tuple[str, float]]]:
    """Tiers with the pixel at which each begins, in as many lines as they need."""
    lines: list[list[tuple[str, float]]] = [[]]
    at_px = 0.0
    for tier in tiers:
        entry_px = _CHARACTER_PX * len(tier) + 30
        if at_px + entry_px > width_px and lines[-1]:
            lines.append([])
            at_px = 0.0
        lines[-1].append((tier, at_px))
        at_px += entry_px
    return lines


def _legend(axes: Axes, lines: Sequence[Sequence[tuple[str, float]]], left_px: float) -> None:
    """The unit, and the tiers as coloured words below it."""

    def put(text: str, at_px: float, line: int, colour: str) -> None:
        offset = (at_px - left_px, 10 + _LINE_PX * (len(lines) - line))
        axes.annotate(
            text, (0, 1), offset, xycoords="axes fraction", textcoords="offset points", color=LIGHT[colour],
            fontsize=11.5, annotation_clip=False,
        )  # fmt: skip

    put("seconds", 0, 0, "muted")
    for number, line in enumerate(lines, start=1):
        for tier, at_px in line:
            put(f"● {tier}", at_px, number, _colour(tier))


def _colour(tier: str) -> str:
    return TIERS.get(tier, _OTHER_TIER)
