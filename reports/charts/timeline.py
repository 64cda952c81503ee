"""Charts over time: phases, faults and a legend are the same on each; numbers come from analysis.series."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator, MultipleLocator

from analysis.series import FloatArray, Series
from reports.charts.canvas import UNITS_PER_INCH
from reports.charts.palette import LIGHT

# How wide a character of a chart's text is, in most fonts at most.
_CHARACTER_PX = 6.4
# Gaps between labelled instants that people read easily, seconds.
_TICKS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)


@dataclass(frozen=True, slots=True)
class Line:
    """One curve: its words in the legend, its values per bin, how it looks."""

    label: str
    values: FloatArray
    colour: str
    dashed: bool = False
    filled: bool = False


def has_values(*arrays: FloatArray) -> bool:
    """Whether there is anything to draw."""
    return any(bool(np.isfinite(array).any()) for array in arrays)


def plot(
    axes: Axes, series: Series, lines: Sequence[Line], title: str, *, last: bool = True, labelled: bool = True
) -> None:
    """Draws curves with phases, faults and a legend above; `last` is the lowest of axes that share a time axis."""
    for line in lines:
        style = (0, (4, 2.5)) if line.dashed else "solid"
        axes.plot(
            series.at_s,
            line.values,
            color=LIGHT[line.colour],
            linestyle=style,
            marker="o",
            markersize=3,
            markevery=alone(line.values),
        )
        if line.filled:
            axes.fill_between(
                series.at_s, 0, np.nan_to_num(line.values), color=LIGHT[line.colour], alpha=0.14, linewidth=0
            )
    context(axes, series, labelled=labelled, last=last)
    heading(axes, title, [(line.label, line.colour) for line in lines])


def alone(values: FloatArray) -> list[int]:
    """Where a value has no neighbour, so that no line would show it."""
    known = np.isfinite(values)
    beside = np.pad(known, 1)
    return [int(at) for at in np.flatnonzero(known & ~beside[:-2] & ~beside[2:])]


def context(axes: Axes, series: Series, *, labelled: bool, last: bool) -> None:
    """Marks phases and faults and dresses the time axis."""
    axes.set_xlim(0, max(series.end_s, 1))
    for phase in series.phases:
        if phase.name != "steady":
            axes.axvspan(phase.start_s, phase.end_s, color=LIGHT["grey"], alpha=0.10, linewidth=0, zorder=0.5)
    for fault in series.faults:
        axes.axvspan(
            fault.start_s, max(fault.end_s, fault.start_s), color=LIGHT["fault"], alpha=0.16, linewidth=0, zorder=0.6
        )
        axes.axvline(fault.start_s, color=LIGHT["fault"], linewidth=1.4, zorder=3)
    if labelled:
        _labels(axes, series)
    _time_axis(axes, series.end_s, last=last)


def _labels(axes: Axes, series: Series) -> None:
    """Names phases and faults inside the plot's upper edge, where they fit."""
    width_px, _ = _size_px(axes)
    px_per_s = width_px / max(series.end_s, 1)
    across = axes.get_xaxis_transform()
    free_px = min((phase.start_s for phase in series.phases if phase.name == "drain"), default=series.end_s) * px_per_s
    for phase in series.phases:
        if phase.name != "steady" and (phase.end_s - phase.start_s) * px_per_s > 7 * len(phase.name):
            axes.text(
                phase.start_s + 4 / px_per_s,
                0.985,
                phase.name,
                transform=across,
                va="top",
                fontsize=10.5,
                color=LIGHT["muted"],
            )
    for fault in series.faults:
        at_px, label_px = fault.start_s * px_per_s, _CHARACTER_PX * len(fault.fault)
        left = at_px > width_px * 0.6 or (at_px + label_px > free_px and at_px > label_px)
        axes.text(
            fault.start_s + (-4 if left else 4) / px_per_s, 0.985, fault.fault, transform=across,
            va="top", ha="right" if left else "left", fontsize=10.5, color=LIGHT["red"],
        )  # fmt: skip


def _time_axis(axes: Axes, end_s: float, *, last: bool) -> None:
    wanted = 5 if axes.figure.get_size_inches()[0] < 6 else 10  # type: ignore[union-attr]
    step = next((tick for tick in _TICKS_S if end_s / tick <= wanted), _TICKS_S[-1])
    axes.xaxis.set_major_locator(MultipleLocator(step))
    axes.xaxis.set_major_formatter(FuncFormatter(clock))
    axes.tick_params(axis="x", labelbottom=last)


def clock(at_s: float, _position: int | None = None) -> str:
    """An instant on the axis, always as minutes and seconds."""
    whole = round(at_s)
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


def heading(axes: Axes, title: str, legend: Sequence[tuple[str, str]]) -> None:
    """The axis' title above the plot, the legend as coloured words to its right, or below it where it is long."""
    box, (width_px, height_px) = axes.get_position(), _size_px(axes)
    left_px, title_px = -box.x0 / box.width * width_px, _CHARACTER_PX * len(title) + 24
    entries = legend if len(legend) > 1 else ()
    legend_px = sum(_entry_px(label) for label, _ in entries)
    beside = left_px + title_px + legend_px <= width_px
    words: dict[str, Any] = {"transform": axes.transAxes, "fontsize": 11.5}
    axes.text(left_px / width_px, 1 + (10 if beside else 27) / height_px, title, color=LIGHT["muted"], **words)
    x_px = width_px - legend_px + 12 if beside else left_px
    for label, colour in entries:
        axes.text(x_px / width_px, 1 + 10 / height_px, f"● {label}", color=LIGHT[colour], **words)
        x_px += _entry_px(label)


def _entry_px(label: str) -> float:
    return _CHARACTER_PX * len(label) + 28


def _size_px(axes: Axes) -> tuple[float, float]:
    box, figure = axes.get_position(), axes.figure.get_size_inches()  # type: ignore[union-attr]
    return box.width * figure[0] * UNITS_PER_INCH, box.height * figure[1] * UNITS_PER_INCH


def from_zero(axes: Axes, *, at_least: float = 0.0, ticks: int = 4) -> None:
    """The value axis from zero to a little above the largest value, with few whole-looking ticks."""
    top = max(axes.dataLim.y1 if np.isfinite(axes.dataLim.y1) else 0.0, at_least, 1e-9)
    axes.set_ylim(0, top * 1.16)
    axes.yaxis.set_major_locator(MaxNLocator(ticks, min_n_ticks=2))


def plain_number(value: float, _position: int | None = None) -> str:
    """A tick without exponent or trailing zeros."""
    return f"{value:,.10g}"
