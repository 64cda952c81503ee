"""What everybody searches for: single words, the most wanted first, drawn by Zipf's law whatever a shopper has seen.

Where `queries` makes a shopper type what the last pages showed, these draws are independent of each other, so that the
popularity of every search is known beforehand (`popularity`). The words are ours; which of them a shop has is its own
affair, and what it has not is an empty result.
"""

from __future__ import annotations

from random import Random

from scenarios.queries import typed_query
from scenarios.zipf import Zipf

TERMS = (
    "ponsel", "batik", "sepatu", "kopi", "tas", "gamis", "laptop", "kaus", "celana", "jam",
    "hijab", "serum", "charger", "earphone", "kemeja", "kabel", "sandal", "lampu", "jaket", "tablet",
    "parfum", "mouse", "blender", "sabun", "buku", "kamera", "wajan", "teh", "monitor", "popok",
    "rok", "sepeda", "keripik", "seprai", "kipas", "tenda", "novel", "helm", "gitar", "monstera",
)  # fmt: skip


def popular_query(rng: Random, exponent: float) -> str:
    """A term as it leaves the keyboard, now and then misspelt."""
    return typed_query(TERMS[Zipf(len(TERMS), exponent).draw(rng) - 1], rng)
