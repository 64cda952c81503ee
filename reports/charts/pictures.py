"""Every chart of a report, each a function of the series; None where there is nothing to draw: no chart is empty."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, LogNorm
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator, PercentFormatter

from analysis.series import FloatArray, HeatMap, Series
from analysis.validity import LOOP_LAG_LIMIT_US
from reports.charts import timeline
from reports.charts.canvas import Chart, Sheet, chart
from reports.charts.palette import LIGHT, tier_colour
from reports.charts.timeline import Line

# Light to dark blue of even steps: order survives greyscale printing and colour blindness.
_HEAT = LinearSegmentedColormap.from_list("heat", ["#cfe6f7", "#5aaee3", "#0072b2", "#003c66"])
_HEAT_TEXTURE_PX = 8  # a cell of the picture, before the browser scales it


def throughput(series: Series) -> Chart | None:
    """Pages and static files answered well per second, and below them what failed, if anything did."""
    failed = bool(series.failed_per_s.any())
    if not (failed or series.pages_per_s.any() or series.static_per_s.any()):
        return None

    def draw(sheet: Sheet) -> None:
        above, *others = sheet.axes((2.4, 1) if failed else (1,))
        lines = [Line("pages", series.pages_per_s, "blue", filled=True)]
        if series.static_per_s.any():
            lines.append(Line("static files", series.static_per_s, "orange"))
        timeline.plot(above, series, lines, "ok per second", last=not failed)
        timeline.from_zero(above)
        for below in others:
            lines = [Line("failed", series.failed_per_s, "red", filled=True)]
            timeline.plot(below, series, lines, "failed per second", labelled=False)
            timeline.from_zero(below, at_least=1, ticks=2)

    alt = "Requests per second over the run: pages and static files answered well, and failed requests below."
    return chart("throughput", alt, draw, wide_height=380 if failed else 280, narrow_height=340 if failed else 250)


def response_times(series: Series) -> Chart | None:
    """p50, p95 and p99 of page response times, on a logarithmic axis."""
    curves = series.pages
    if not timeline.has_values(curves.p50_ms):
        return None

    def draw(sheet: Sheet) -> None:
        (axes,) = sheet.axes()
        lines = [
            Line("p50", curves.p50_ms, "green"),
            Line("p95", curves.p95_ms, "blue"),
            Line("p99", curves.p99_ms, "orange"),
        ]
        timeline.plot(axes, series, lines, "milliseconds")
        _logarithmic(axes, np.concatenate([curves.p50_ms, curves.p99_ms]))

    alt = "Response time of pages over the run: 50th, 95th and 99th percentile of each bin, in milliseconds."
    return chart("response-times", alt, draw, wide_height=300, narrow_height=270)


def heat_map(series: Series) -> Chart | None:
    """Where the mass of page response times lay, when."""
    heat = series.heat_map
    if heat is None:
        return None

    def draw(sheet: Sheet) -> None:
        (axes,) = sheet.axes()
        _heat_image(axes, heat)
        timeline.context(axes, series, labelled=True, last=True)
        axes.grid(visible=False)
        timeline.heading(axes, "milliseconds", [])

    alt = "Heat map of page response times over the run: the stronger a cell's colour, the more requests."
    return chart("heat-map", alt, draw, wide_height=300, narrow_height=270)


def _heat_image(axes: Axes, heat: HeatMap) -> None:
    decades = np.log10(heat.latency_edges_ms)
    drawn = np.ma.masked_equal(heat.counts, 0)
    axes.imshow(
        drawn.repeat(_HEAT_TEXTURE_PX, 0).repeat(_HEAT_TEXTURE_PX, 1),
        cmap=_HEAT,
        norm=LogNorm(1, max(float(heat.counts.max()), 2)),
        origin="lower",
        aspect="auto",
        interpolation="none",
        extent=(heat.time_edges_s[0], heat.time_edges_s[-1], decades[0], decades[-1]),
        zorder=1,
    )
    # The image lies on a linear axis of exponents, whose labels are the milliseconds.
    axes.set_ylim(decades[0] - 0.05, decades[-1] + 0.18)
    first, last = int(np.ceil(decades[0])), int(np.floor(decades[-1]))
    ticks = np.arange(first, last + 1) if last > first else np.array([decades[0], decades[-1]])
    axes.set_yticks(ticks, [timeline.plain_number(float(f"{10.0**tick:.2g}")) for tick in ticks])


def hit_ratio(series: Series) -> Chart | None:
    """The share of cacheable requests that the cache answered, rising from cold."""
    if not timeline.has_values(series.hit_ratio):
        return None

    def draw(sheet: Sheet) -> None:
        (axes,) = sheet.axes()
        timeline.plot(
            axes, series, [Line("hit ratio", series.hit_ratio, "green", filled=True)], "hits among cacheable requests"
        )
        axes.set_ylim(0, 1.12)
        axes.set_yticks([0, 0.25, 0.5, 0.75, 1])
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))

    alt = "Cache hit ratio over the run: hits among cacheable requests in the last five seconds, from a cold cache on."
    return chart("hit-ratio", alt, draw, wide_height=250, narrow_height=230)


def origin_load(series: Series) -> Chart | None:
    """What reached the shop, beside what shoppers asked for."""
    if not series.fetched_per_s:
        return None
    asked = Line("asked", series.pages_per_s + series.static_per_s + series.failed_per_s, "blue", filled=True)
    looks = {"client": ("waited for", "orange"), "background": ("refreshed", "purple"), "purge": ("purged", "grey")}

    def draw(sheet: Sheet) -> None:
        (axes,) = sheet.axes(top=44 if sheet.narrow else 26)
        lines = [Line(looks[cause][0], values, looks[cause][1]) for cause, values in series.fetched_per_s.items()]
        timeline.plot(axes, series, [asked, *lines], "requests per second")
        timeline.from_zero(axes)

    alt = (
        "Requests per second over the run: what shoppers asked for, and what of it reached the shop, by who caused it."
    )
    return chart("origin-load", alt, draw, wide_height=280, narrow_height=260)


def cpu(series: Series) -> Chart | None:
    """Cores in use by each tier of the target, and by the generator."""
    tiers = sorted(series.cpu_by_tier, key=lambda tier: (tier == "generator", tier))
    if not tiers or not timeline.has_values(*series.cpu_by_tier.values()):
        return None

    def draw(sheet: Sheet) -> None:
        (axes,) = sheet.axes(top=44 if sheet.narrow else 26)
        lines = [
            Line(tier, series.cpu_by_tier[tier], tier_colour(tier, position), dashed=tier == "generator")
            for position, tier in enumerate(tiers)
        ]
        timeline.plot(axes, series, lines, "cores in use" if len(tiers) > 1 else f"cores in use by {tiers[0]}")
        timeline.from_zero(axes, at_least=0.5)

    alt = f"Processor cores in use over the run, by {', '.join(tiers)}."
    return chart("cpu", alt, draw, wide_height=280, narrow_height=260)


def lags(series: Series) -> Chart | None:
    """The generator's own lags, beside the limit above which a second is invalid."""
    if not timeline.has_values(series.loop_lag_ms, series.schedule_lag_ms):
        return None

    def draw(sheet: Sheet) -> None:
        (axes,) = sheet.axes()
        lines = [
            Line("loop lag, max", series.loop_lag_ms, "purple"),
            Line("schedule lag, p99", series.schedule_lag_ms, "grey"),
        ]
        timeline.plot(axes, series, [line for line in lines if timeline.has_values(line.values)], "milliseconds")
        limit_ms = LOOP_LAG_LIMIT_US / 1000
        axes.axhline(limit_ms, color=LIGHT["red"], linewidth=1.2, linestyle=(0, (4, 3)))
        _logarithmic(axes, np.append(np.concatenate([series.loop_lag_ms, series.schedule_lag_ms]), limit_ms))

    alt = "The generator's loop lag and schedule lag over the run, in milliseconds, beside the limit of validity."
    return chart("lags", alt, draw, wide_height=230, narrow_height=220)


def orders(series: Series) -> Chart | None:
    """Sessions arriving and orders acknowledged."""
    if not series.arrived_per_s.any():
        return None

    def draw(sheet: Sheet) -> None:
        above, *others = sheet.axes((1, 1) if series.orders_count.any() else (1,))
        arrived = [Line("sessions", series.arrived_per_s, "purple", filled=True)]
        timeline.plot(above, series, arrived, "sessions arriving per second", last=not others)
        timeline.from_zero(above, ticks=3)
        for below in others:
            placed = [Line("orders", series.orders_count, "green", filled=True)]
            timeline.plot(below, series, placed, "orders acknowledged so far", labelled=False)
            timeline.from_zero(below, ticks=3)

    alt = "Sessions arriving per second over the run, and orders acknowledged so far."
    return chart("orders", alt, draw, wide_height=320, narrow_height=300)


def ranges(latencies: Mapping[str, tuple[float, float | None, float | None]]) -> Chart | None:
    """p50, p95 and p99 of each page kind as dots on one line each; `latencies` in milliseconds, in drawing order."""
    if not latencies:
        return None
    names = list(latencies)

    def draw(sheet: Sheet) -> None:
        longest = max(len(name) for name in names)
        (axes,) = sheet.axes(left=min(7.0 * longest, 150.0) + 14)
        for row, name in enumerate(names):
            coloured = zip(latencies[name], ("green", "blue", "orange"), strict=True)
            dots = [(value, colour) for value, colour in coloured if value is not None]
            axes.plot([dots[0][0], dots[-1][0]], [row, row], color=LIGHT["line"], linewidth=5, zorder=1)
            for value, colour in dots:
                axes.plot(value, row, "o", color=LIGHT[colour], markersize=8, markeredgewidth=0, zorder=2)
        axes.set_yticks(range(len(names)), [_shortened(name) for name in names])
        axes.set_ylim(len(names) - 0.4, -0.6)
        axes.grid(visible=True, axis="x")
        axes.grid(visible=False, axis="y")
        _logarithmic_x(axes, [value for values in latencies.values() for value in values if value is not None])
        timeline.heading(axes, "milliseconds", [("p50", "green"), ("p95", "blue"), ("p99", "orange")])

    alt = "Response time by page kind: 50th, 95th and 99th percentile, in milliseconds."
    height = 60 + 26 * len(names)
    return chart("ranges", alt, draw, wide_height=height, narrow_height=height)


def _shortened(name: str) -> str:
    return name if len(name) <= 20 else name[:19] + "…"


def _logarithmic(axes: Axes, values: FloatArray) -> None:
    """A logarithmic value axis from a little below the smallest value, with room for labels at the top."""
    low, high = _bounds(values)
    axes.set_yscale("log")
    axes.set_ylim(low, high * (high / low) ** 0.12)
    axes.yaxis.set_major_locator(LogLocator(10, subs=(1, 3) if high / low < 3000 else (1,)))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(timeline.plain_number))


def _logarithmic_x(axes: Axes, values: list[float]) -> None:
    low, high = _bounds(np.array(values))
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.xaxis.set_major_locator(LogLocator(10, subs=(1, 3) if high / low < 3000 else (1,)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(timeline.plain_number))


def _bounds(values: FloatArray) -> tuple[float, float]:
    """Limits around the positive values, at least a factor of ten apart so that a tick is always seen."""
    positive = values[np.isfinite(values) & (values > 0)]
    low, high = (float(positive.min()) * 0.8, float(positive.max()) * 1.25) if len(positive) else (1.0, 10.0)
    return low, max(high, low * 10)
