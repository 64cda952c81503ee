"""Charts of a capacity study over the offered load: pure functions of its curve, None where nothing is to be drawn."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from analysis.capacity import CapacityAnalysis
from analysis.capacity_curve import SHOWN, CurvePoint
from reports.charts import timeline
from reports.charts.canvas import Chart, Sheet, chart
from reports.charts.palette import LIGHT, tier_colour

_OUTCOMES = {"holds": "green", "fails": "red", "unknown": "grey", "unsteady": "grey"}
_COLOURS = {"p50": "green", "p95": "blue", "p99": "orange"}
_MARKERS = {"holds": "o", "fails": "X", "unknown": "s", "unsteady": "s"}


def goodput(study: CapacityAnalysis) -> Chart | None:
    """What was answered well, step by step, beside what light load promises."""
    points = [point for point in study.curve.by_load if point.goodput_per_s is not None]
    if not points:
        return None

    def draw(sheet: Sheet) -> None:
        (axes,) = sheet.axes(left=52)
        _line(axes, points, lambda point: point.goodput_per_s, "blue")
        for outcome in dict.fromkeys(point.step.outcome for point in points):
            of = [point for point in points if point.step.outcome == outcome]
            marks = [(point.step.rate_per_s, point.goodput_per_s or 0.0) for point in of]
            axes.plot(
                *zip(*marks, strict=True), _MARKERS[outcome],
                color=LIGHT[_OUTCOMES[outcome]], markersize=8, markeredgewidth=0, zorder=4,
            )  # fmt: skip
        timeline.from_zero(axes)
        if (of_session := study.curve.usual_goodput_per_session) is not None:
            ends = np.array([0.0, max(point.step.rate_per_s for point in points)])
            axes.plot(ends, ends * of_session, color=LIGHT["grey"], linewidth=1.2, linestyle=(0, (4, 3)), zorder=1)
        _dress(axes, study, points)
        outcomes = [(outcome, _OUTCOMES[outcome]) for outcome in ("holds", "fails") if _any(points, outcome)]
        rest = [("no verdict", "grey")] if any(_OUTCOMES[point.step.outcome] == "grey" for point in points) else []
        timeline.heading(axes, "ok requests/s, over sessions/s", _legend(outcomes + rest))

    alt = "Requests answered well per second at each offered load, beside a line of what light load promises."
    return chart("capacity-goodput", alt, draw, wide_height=330, narrow_height=290)


def response_times(study: CapacityAnalysis) -> Chart | None:
    """p50, p95 and p99 at each offered load, on a logarithmic axis."""
    points = [point for point in study.curve.by_load if any(point.response_ms.values())]
    if not points:
        return None
    shown = [name for name in SHOWN if any(point.response_ms[name] for point in points)]

    def draw(sheet: Sheet) -> None:
        (axes,) = sheet.axes(left=52)
        for name in shown:
            _line(axes, points, partial(_response, name), _COLOURS[name], marked=True)
        values = [value for point in points for value in point.response_ms.values() if value]
        axes.set_yscale("log")
        low, high = min(values) * 0.8, max(max(values) * 1.25, min(values) * 8)
        axes.set_ylim(low, high)
        axes.yaxis.set_major_locator(LogLocator(10, subs=(1, 3) if high / low < 3000 else (1,)))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter(FuncFormatter(timeline.plain_number))
        _dress(axes, study, points)
        timeline.heading(axes, "milliseconds, over sessions/s", [(name, _COLOURS[name]) for name in shown])

    alt = "Response time at each offered load: 50th, 95th and 99th percentile, in milliseconds."
    return chart("capacity-response", alt, draw, wide_height=300, narrow_height=270)


def cores(study: CapacityAnalysis) -> Chart | None:
    """Cores in use by each tier at each offered load."""
    points = [point for point in study.curve.by_load if point.cores]
    tiers = study.curve.tiers
    if not points:
        return None

    def draw(sheet: Sheet) -> None:
        (axes,) = sheet.axes(left=52, top=44 if sheet.narrow else 26)
        coloured = [(tier, tier_colour(tier, position)) for position, tier in enumerate(tiers)]
        for tier, colour in coloured:
            _line(axes, points, partial(_cores, tier), colour, marked=True)
        timeline.from_zero(axes, at_least=0.5)
        _dress(axes, study, points)
        timeline.heading(
            axes,
            "cores in use, over sessions/s" if len(tiers) > 1 else f"cores in use by {tiers[0]}, over sessions/s",
            coloured,
        )

    alt = f"Processor cores in use at each offered load, by {', '.join(tiers)}."
    return chart("capacity-cores", alt, draw, wide_height=280, narrow_height=260)


def _response(name: str, point: CurvePoint) -> float | None:
    return point.response_ms[name]


def _cores(tier: str, point: CurvePoint) -> float | None:
    return point.cores.get(tier)


def _line(
    axes: Axes,
    points: Sequence[CurvePoint],
    value: Callable[[CurvePoint], float | None],
    colour: str,
    *,
    marked: bool = False,
) -> None:
    """A curve through the mean of each rate's steps; with `marked`, a dot for every step."""
    known = [(point.step.rate_per_s, found) for point in points if (found := value(point)) is not None]
    if not known:
        return
    rates = sorted({rate for rate, _ in known})
    means = [float(np.mean([found for at, found in known if at == rate])) for rate in rates]
    axes.plot(rates, means, color=LIGHT[colour], zorder=2)
    if marked:
        axes.plot(*zip(*known, strict=True), "o", color=LIGHT[colour], markersize=5, markeredgewidth=0, zorder=3)


def _dress(axes: Axes, study: CapacityAnalysis, points: Sequence[CurvePoint]) -> None:
    """The load axis, and the capacity with its interval across all heights."""
    record = study.record
    axes.set_xlim(0, max(point.step.rate_per_s for point in points) * 1.06)
    if record.found == "found" and record.rate_per_s is not None:
        if record.low_per_s is not None and record.high_per_s is not None:
            axes.axvspan(record.low_per_s, record.high_per_s, color=LIGHT["green"], alpha=0.16, linewidth=0, zorder=0.5)
        axes.axvline(record.rate_per_s, color=LIGHT["green"], linewidth=1.4, zorder=1)
    axes.xaxis.set_major_locator(MaxNLocator(5 if axes.figure.get_size_inches()[0] < 6 else 10, min_n_ticks=2))  # type: ignore[union-attr]
    axes.xaxis.set_major_formatter(FuncFormatter(timeline.plain_number))


def _any(points: Sequence[CurvePoint], outcome: str) -> bool:
    return any(point.step.outcome == outcome for point in points)


def _legend(entries: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The coloured words of a legend; a single one would be taken for none."""
    return entries if len(entries) > 1 else [*entries, ("light load × offered", "grey")]
