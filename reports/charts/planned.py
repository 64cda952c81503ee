"""The picture of a plan: above, how response times grow with the load; below, how many workers each tier takes."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from analysis.planning.curves import Curves
from reports import wording
from reports.charts import timeline
from reports.charts.canvas import Chart, Sheet, chart
from reports.charts.palette import LIGHT, tier_colour

_ABOVE_LIMIT = 3.0  # how many limits the picture is high: beyond, a line only says that it goes up


def load(curves: Curves) -> Chart | None:
    """Response times of each planned shop where some were recorded, and workers by tier, on one axis of loads."""
    if not curves.workers:
        return None

    def draw(sheet: Sheet) -> None:
        top = 44 if sheet.narrow else 26
        axes = sheet.axes((1, 1.2) if curves.responses else (1,), left=52, top=top)
        if curves.responses:
            _responses(axes[0], curves)
        _workers(axes[-1], curves)
        _loads(axes[-1], curves, narrow=sheet.narrow)
        if len(axes) > 1:
            axes[0].tick_params(axis="x", labelbottom=False)

    alt = (
        "Against shoppers per hour at the peak: response time of each planned shop as the load grows, and "
        f"the workers that are planned for {', '.join(curves.workers)}."
    )
    tall = bool(curves.responses)
    return chart("plan-load", alt, draw, wide_height=520 if tall else 320, narrow_height=520 if tall else 320)


def _responses(axes: Axes, curves: Curves) -> None:
    """A line for each planned shop up to where it is full, a dot where it is planned for, the limit dashed."""
    highest = _ceiling(curves)
    for response in curves.responses:
        # Beyond the last point the queue grows without end, at the very load at which the shop is full.
        loads = [*response.loads_per_h, response.full_at_per_h]
        values = np.minimum([*response.values_ms, np.inf], highest * 1.2)
        axes.plot(loads, values, color=LIGHT["blue"])
        if response.planned_ms is not None:
            axes.plot(response.planned_for_per_h, response.planned_ms, "o", color=LIGHT["blue"], markersize=7, zorder=3)
    if curves.limit_ms is not None:
        axes.axhline(curves.limit_ms, color=LIGHT["red"], linewidth=1.2, linestyle=(0, (4, 3)))
    axes.set_ylim(0, highest)
    axes.yaxis.set_major_formatter(FuncFormatter(timeline.plain_number))
    of = "all requests" if curves.kind == "all" else curves.kind
    limit = [("objective", "red")] if curves.limit_ms is not None else []
    title = f"{wording.PERCENTILES[curves.percentile]} of {of}, ms"
    timeline.heading(axes, title, [("planned shops", "blue"), *limit])


def _ceiling(curves: Curves) -> float:
    """The highest response time that is drawn."""
    calm = max(min(response.values_ms, default=1.0) for response in curves.responses)
    planned = max(response.planned_ms or 0.0 for response in curves.responses)
    return max(_ABOVE_LIMIT * calm, 1.3 * planned, 1.3 * (curves.limit_ms or 0.0), 1e-3)


def _workers(axes: Axes, curves: Curves) -> None:
    """Workers by tier as steps, both axes logarithmic."""
    colours = {tier: tier_colour(tier, position) for position, tier in enumerate(curves.workers)}
    for tier, counts in curves.workers.items():
        axes.step(curves.loads_per_h, counts, where="post", color=LIGHT[colours[tier]])
    most = max(max(counts) for counts in curves.workers.values())
    axes.set_yscale("log")
    axes.set_ylim(0.8, max(most, 10) * 1.4)
    axes.yaxis.set_major_locator(LogLocator(10))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(timeline.plain_number))
    timeline.heading(axes, "workers", list(colours.items()))


def _loads(axes: Axes, curves: Curves, *, narrow: bool) -> None:
    """The axis of loads, with few labels where there is little room."""
    axes.set_xscale("log")
    axes.set_xlim(curves.loads_per_h[0], curves.loads_per_h[-1])
    axes.xaxis.set_major_locator(LogLocator(10, subs=(1,) if narrow else (1, 3)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(_crowd))


def _crowd(value: float, _position: int | None = None) -> str:
    """Shoppers per hour, short: 300, 10 k, 3 M."""
    for size, unit in ((1e9, "\u00a0G"), (1e6, "\u00a0M"), (1e3, "\u00a0k")):
        if value >= size:
            return f"{value / size:g}{unit}"
    return f"{value:g}"
