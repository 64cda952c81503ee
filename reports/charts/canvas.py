"""One chart, drawn twice, for a desktop's width and for a phone's, as inline SVG with real text.

A drawing function gets a `Sheet` (figure, width class) and draws on it. The same input gives the same bytes: fixed
identifiers, no date. Identifiers are salted with chart and width, since two drawings stand in one page and a clip path
found in a hidden one would not draw.
"""

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reports.charts import palette

WIDE_PX = 976
NARROW_PX = 358
# One unit of the drawing is one CSS pixel when the picture is shown at its own width.
UNITS_PER_INCH = 72
_STYLE: dict[Any, Any] = {  # matplotlib's parameters are of any type
    "svg.fonttype": "none",
    "font.family": "DejaVu Sans",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.facecolor": "none",
    "axes.edgecolor": palette.LIGHT["line"],
    "axes.labelcolor": palette.LIGHT["muted"],
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": palette.LIGHT["grid"],
    "grid.linewidth": 1,
    "text.color": palette.LIGHT["ink"],
    "xtick.color": palette.LIGHT["line"],
    "ytick.color": palette.LIGHT["line"],
    "xtick.labelcolor": palette.LIGHT["muted"],
    "ytick.labelcolor": palette.LIGHT["muted"],
    "ytick.major.size": 0,
    "ytick.minor.size": 0,
    "xtick.minor.size": 0,
    "xtick.major.size": 4,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
    "lines.solid_joinstyle": "round",
    "font.size": 11.5,
    "axes.labelsize": 11.5,
    "xtick.labelsize": 11.5,
    "ytick.labelsize": 11.5,
    "path.simplify": True,
}
_NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))
_PROLOGUE = re.compile(r"^.*?(?=<svg)", re.DOTALL)
_NAMESPACE = re.compile(r'\sxmlns(:xlink)?="[^"]*"')
_IDENTIFIER = re.compile(r'\sid="([^"]+)"')
_DECIMALS = re.compile(r"(\d+\.\d\d)\d+")


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a drawing function draws on."""

    figure: Figure
    narrow: bool

    def axes(self, rows: tuple[float, ...] = (1,), *, left: float = 44, gap: float = 34, top: float = 26) -> list[Axes]:
        """Axes below one another, sharing the time axis; `rows` are their relative heights, margins are in pixels."""
        width, height = (inches * UNITS_PER_INCH for inches in self.figure.get_size_inches())
        free = height - top * len(rows) - gap * (len(rows) - 1) - 26
        axes: list[Axes] = []
        y = height
        for row in rows:
            share = free * row / sum(rows)
            y -= top + share
            box = (left / width, y / height, (width - left - 14) / width, share / height)
            axes.append(self.figure.add_axes(box, sharex=axes[0] if axes else None))
            y -= gap
        return axes


@dataclass(frozen=True, slots=True)
class Chart:
    """Two drawings of one figure and the sentence that stands for them where they cannot be seen."""

    wide: str
    narrow: str
    alt: str


Draw = Callable[[Sheet], None]


def chart(name: str, alt: str, draw: Draw, *, wide_height: int, narrow_height: int) -> Chart:
    """Draws a chart in both widths; heights in pixels, `name` unique in the page."""
    return Chart(
        _drawing(f"{name}-wide", draw, WIDE_PX, wide_height),
        _drawing(f"{name}-narrow", draw, NARROW_PX, narrow_height),
        alt,
    )


def _drawing(salt: str, draw: Draw, width: int, height: int) -> str:
    with mpl.rc_context({**_STYLE, "svg.hashsalt": salt}):
        figure = Figure(figsize=(width / UNITS_PER_INCH, height / UNITS_PER_INCH), dpi=UNITS_PER_INCH)
        figure.patch.set_alpha(0)
        draw(Sheet(figure, width == NARROW_PX))
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata=_NO_METADATA)
    return palette.as_variables(_inline(out.getvalue(), salt))


def _inline(svg: str, salt: str) -> str:
    """An SVG document as an element of a page: no prologue, namespaces, size of its own or unneeded identifiers."""
    svg = _NAMESPACE.sub("", _PROLOGUE.sub("", svg))
    head, body = svg.split(">", 1)
    head = re.sub(r'\s(width|height)="[^"]*"', "", head)

    def kept(found: re.Match[str]) -> str:
        identifier = found.group(1)
        return f' id="{salt}-{identifier}"' if f"#{identifier}" in body else ""

    used = _IDENTIFIER.sub(kept, body)
    used = re.sub(r"url\(#", f"url(#{salt}-", used)
    used = re.sub(r'href="#', f'href="#{salt}-', used)
    rounded = _DECIMALS.sub(r"\1", used)
    return f'{head} aria-hidden="true" focusable="false">{rounded}'
