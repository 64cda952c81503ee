"""The colours of every chart and of the page around them, each in a light and a dark form.

The series colours are those of Okabe and Ito ("Color Universal Design", 2008), darkened where their contrast on white
was below 3:1; the dark forms are lightened likewise. Charts are drawn in the light form; `as_variables` then turns each
colour into its CSS variable, so that one drawing follows the reader's colour scheme and prints in the light one.
"""

from collections.abc import Mapping
from types import MappingProxyType

LIGHT: Mapping[str, str] = MappingProxyType(
    {
        "ink": "#1b2430",
        "muted": "#5b6675",
        "line": "#d9dee5",
        "grid": "#e9edf1",
        "blue": "#0072b2",
        "orange": "#c97b00",
        "green": "#00865f",
        "red": "#c8450c",
        "sky": "#3a9bd9",
        "purple": "#a8508a",
        "grey": "#7a8594",
        "fault": "#e2571b",
    }
)
DARK: Mapping[str, str] = MappingProxyType(
    {
        "ink": "#e8ecf1",
        "muted": "#a3adba",
        "line": "#39424e",
        "grid": "#29313b",
        "blue": "#4aa8e0",
        "orange": "#f0b03c",
        "green": "#2fbf93",
        "red": "#ff7f4a",
        "sky": "#8cc9f2",
        "purple": "#d994c0",
        "grey": "#98a3b1",
        "fault": "#ff8a52",
    }
)
TIERS: Mapping[str, str] = MappingProxyType(
    {"edge": "sky", "shield": "green", "shop": "blue", "database": "orange", "payment": "purple", "generator": "grey"}
)
OTHERS = ("green", "red", "purple", "orange", "sky", "blue")


def tier_colour(tier: str, position: int) -> str:
    """The name of a tier's colour: its own, or for an unknown tier the next of the others."""
    return TIERS.get(tier, OTHERS[position % len(OTHERS)])


def as_variables(svg: str) -> str:
    """The drawing with every palette colour replaced by its CSS variable."""
    for name, colour in LIGHT.items():
        svg = svg.replace(colour, f"var(--{name})")
    return svg


def declarations(colours: Mapping[str, str]) -> str:
    """CSS declarations of a palette, in its order."""
    return "".join(f"--{name}:{colour};" for name, colour in colours.items())
