"""Draws product pictures: a pool of JPEG files, four per category, each as `thumb` (320 px) and `full` (800 px).

Every product of the catalogue points to one of them, under an address of its own.
"""

import colorsys
import math
import os
import random
from collections.abc import Iterator
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter

from reference_shop.seed.catalogue import PICTURES_PER_SHELF
from reference_shop.seed.shapes import Placement, Stroke, outline
from reference_shop.seed.vocabulary import Vocabulary

FULL_PX = 800
THUMB_PX = 320
_CANVAS_PX = 1600
_FULL_QUALITY = 90
_THUMB_QUALITY = 84
# How much of a picture is film grain: enough for the size in bytes that a photograph has.
_GRAIN_SHARE = 0.017
_SHADOW = [int(0.45 * alpha) for alpha in range(256)]

Colour = tuple[int, int, int]


def picture_path(folder: Path, number: int, size: str) -> Path:
    """Return where the picture with this number stands; `size` is thumb or full."""
    return folder / f"{number:03d}-{size}.jpg"


def draw_pictures(vocabulary: Vocabulary, folder: Path, seed: int) -> Iterator[int]:
    """Draw what the pool lacks; yield the number of pictures done after each.

    The folder may hold pictures of an earlier seed with the same number, or be filled by two at a time.
    """
    folder.mkdir(parents=True, exist_ok=True)
    noise = random.Random(f"grain {seed}").randbytes(FULL_PX * FULL_PX)
    grain = Image.merge("RGB", [Image.frombytes("L", (FULL_PX, FULL_PX), noise)] * 3)
    shade = Image.linear_gradient("L").resize((FULL_PX, FULL_PX))
    for number in range(picture_count(vocabulary)):
        full_path, thumb_path = (picture_path(folder, number, size) for size in ("full", "thumb"))
        if not (full_path.exists() and thumb_path.exists()):
            shelf = vocabulary.shelves[number // PICTURES_PER_SHELF]
            rng = random.Random(f"picture {seed} {number}")
            full = Image.blend(_draw(rng, vocabulary.motifs[shelf.motif], shelf.hue, shade), grain, _GRAIN_SHARE)
            _save(full, full_path, _FULL_QUALITY)
            _save(full.resize((THUMB_PX, THUMB_PX), Image.Resampling.BOX), thumb_path, _THUMB_QUALITY)
        yield number + 1


def picture_count(vocabulary: Vocabulary) -> int:
    """Return the size of the pool."""
    return len(vocabulary.shelves) * PICTURES_PER_SHELF


def _save(picture: Image.Image, path: Path, quality: int) -> None:
    """Write the file whole or not at all: a stopped seed must not leave half a picture for the next."""
    partial = path.with_name(f".{os.getpid()}-{path.name}")
    picture.save(partial, format="JPEG", quality=quality)
    partial.replace(path)


def _draw(rng: random.Random, shapes: tuple[str, ...], hue: int, shade: Image.Image) -> Image.Image:
    """Draw a thing with its shadow before a wall that darkens towards the floor, as `shade` does."""
    wall = _colour(hue + rng.choice((0, 30, 180)), rng.uniform(0.06, 0.16), 0.98)
    floor = _colour(hue + rng.choice((0, 20)), rng.uniform(0.12, 0.28), 0.84)
    picture = Image.composite(Image.new("RGB", shade.size, floor), Image.new("RGB", shade.size, wall), shade)
    thing, mask = _draw_thing(rng, shapes, _tones(rng, hue))
    shadow = mask.reduce(4).filter(ImageFilter.GaussianBlur(6)).resize(mask.size, Image.Resampling.BILINEAR)
    picture.paste((40, 34, 30), (10, 22), shadow.point(_SHADOW))
    picture.paste(thing, (0, 0), mask)
    return picture


def _draw_thing(
    rng: random.Random, shapes: tuple[str, ...], tones: dict[str, Colour]
) -> tuple[Image.Image, Image.Image]:
    """Return the shapes, slightly turned, and the mask of what they cover. Twice as large first, for smooth edges."""
    place = Placement(_CANVAS_PX / 100 * rng.uniform(0.84, 1.0), math.radians(rng.uniform(-9, 9)), _CANVAS_PX / 2)
    thing = Image.new("RGB", (_CANVAS_PX, _CANVAS_PX), tones["dark"])
    mask = Image.new("L", thing.size)
    for shape in shapes:
        kind, tone, *words = shape.split()
        stroke = outline(kind, [float(word) for word in words], place)
        _draw_stroke(ImageDraw.Draw(thing), stroke, tones[tone])
        _draw_stroke(ImageDraw.Draw(mask), stroke, 255)
    return thing.reduce(2), mask.reduce(2)


def _draw_stroke(pen: ImageDraw.ImageDraw, stroke: Stroke, colour: Colour | int) -> None:
    if stroke.width_px:
        pen.line(stroke.points, fill=colour, width=stroke.width_px, joint="curve")
    else:
        pen.polygon(stroke.points, fill=colour)


def _tones(rng: random.Random, hue: int) -> dict[str, Colour]:
    turned = hue + rng.choice((0, 0, 25, -25, 140))
    strength = rng.uniform(0.45, 0.75)
    return {
        "body": _colour(turned, strength, 0.78),
        "dark": _colour(turned, strength * 0.9, 0.38),
        "light": _colour(turned, strength * 0.5, 0.93),
        "accent": _colour(turned + 160, strength, 0.88),
        "white": (250, 250, 247),
        "black": (38, 38, 44),
    }


def _colour(hue_degrees: float, saturation: float, value: float) -> Colour:
    red, green, blue = colorsys.hsv_to_rgb(hue_degrees % 360 / 360, saturation, value)
    return round(255 * red), round(255 * green), round(255 * blue)
