"""Reads `vocabulary.toml` and `motifs.toml`: the words of product names and the shapes of product pictures."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, cast


@dataclass(frozen=True, slots=True)
class Shelf:
    """One category and what its products are made of. `price_idr` and `weight_g` are ranges, `share` is a weight."""

    department: str
    slug: str
    name: str
    nouns: tuple[str, ...]
    brands: tuple[str, ...]
    traits: tuple[str, ...]
    variants: tuple[str, ...]
    price_idr: tuple[int, int]
    weight_g: tuple[int, int]
    motif: str
    hue: int
    share: int


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """All shelves in the order of the menu, the names of product series, and the shapes of each motif."""

    shelves: tuple[Shelf, ...]
    series: tuple[str, ...]
    motifs: dict[str, tuple[str, ...]]


def load_vocabulary() -> Vocabulary:
    """Read both files from the package."""
    folder = files("reference_shop.seed")
    words = tomllib.loads((folder / "vocabulary.toml").read_text("utf-8"))
    motifs = tomllib.loads((folder / "motifs.toml").read_text("utf-8"))
    return Vocabulary(
        tuple(map(_shelf, words["category"])),
        tuple(words["series"]),
        {name: tuple(shapes) for name, shapes in motifs.items()},
    )


def _shelf(table: Mapping[str, Any]) -> Shelf:
    fields = {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}
    return Shelf(**cast("dict[str, Any]", fields))
