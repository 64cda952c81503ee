"""Turns the shapes of `motifs.toml` into outlines on the canvas, so that a thing is turned without moving pixels."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

Point = tuple[float, float]
Box = tuple[float, float, float, float]  # left, top, right, bottom

_DEGREES_PER_STEP = 10


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the square of 100 by 100 lies: pixels per unit, how far it is turned, and the pixel of its middle."""

    scale: float
    angle_radians: float
    centre_px: float

    def on_canvas(self, points: Sequence[Point]) -> list[Point]:
        """Move points of the square to the canvas."""
        cosine, sine = math.cos(self.angle_radians) * self.scale, math.sin(self.angle_radians) * self.scale
        return [
            (
                self.centre_px + (x - 50) * cosine - (y - 50) * sine,
                self.centre_px + (x - 50) * sine + (y - 50) * cosine,
            )
            for x, y in points
        ]


@dataclass(frozen=True, slots=True)
class Stroke:
    """An outline in pixels: filled when `width_px` is 0, else drawn as a line of that width."""

    points: list[Point]
    width_px: int


def outline(kind: str, numbers: list[float], place: Placement) -> Stroke:
    """Return the stroke of one shape; raises ValueError for a kind that nobody can draw."""
    width = numbers.pop(0) if kind in {"line", "arc"} else 0.0
    match kind, numbers:
        case "round", [left, top, right, bottom, radius]:
            points = _rounded((left, top, right, bottom), radius)
        case "oval", [left, top, right, bottom]:
            points = _arc((left, top, right, bottom), 0, 360)
        case "arc", [left, top, right, bottom, start, end]:
            points = _arc((left, top, right, bottom), start, end)
        case (("poly" | "line"), _):
            points = list(zip(numbers[::2], numbers[1::2], strict=True))
        case _:
            raise ValueError(f"motifs.toml holds the shape {kind!r} with {len(numbers)} numbers, which nobody can draw")
    return Stroke(place.on_canvas(points), round(width * place.scale))


def _arc(box: Box, start: float, end: float) -> list[Point]:
    """Walk an ellipse clockwise from 3 o'clock; an end before its start goes on through 360 degrees."""
    left, top, right, bottom = box
    sweep = end - start if end > start else end - start + 360
    steps = round(sweep / _DEGREES_PER_STEP)
    angles = (math.radians(start + sweep * step / steps) for step in range(steps + 1))
    middle_x, middle_y = (left + right) / 2, (top + bottom) / 2
    return [
        (middle_x + (right - left) / 2 * math.cos(angle), middle_y + (bottom - top) / 2 * math.sin(angle))
        for angle in angles
    ]


def _rounded(box: Box, radius: float) -> list[Point]:
    left, top, right, bottom = box
    wide = 2 * min(radius, (right - left) / 2, (bottom - top) / 2)
    return [
        *_arc((right - wide, bottom - wide, right, bottom), 0, 90),
        *_arc((left, bottom - wide, left + wide, bottom), 90, 180),
        *_arc((left, top, left + wide, top + wide), 180, 270),
        *_arc((right - wide, top, right, top + wide), 270, 360),
    ]
