"""What shoppers type into the search box: words of product names they have seen, now and then misspelt. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random

from scenarios.zipf import Zipf

MISSPELT_RATIO = 0.13
"""So many searches find nothing (Luigi's Box 2021); a misspelt word is how a shopper of ours gets there."""
_BEFORE_ANY_NAME = ("sepatu", "kemeja", "tas", "kopi", "kabel")
_WORD = re.compile(r"[^\W\d_]{3,}")


def intended_query(names: Sequence[str], rng: Random, exponent: float) -> str:
    """One or two words side by side in a product's name; the names come in the order in which they were seen."""
    seen = [words for name in names if (words := _WORD.findall(name.lower()))]
    if not seen:
        return rng.choice(_BEFORE_ANY_NAME)
    words = seen[Zipf(len(seen), exponent).draw(rng) - 1]
    first = rng.randrange(len(words))
    return " ".join(words[first : first + rng.choice((1, 1, 2))])


def typed_query(intended: str, rng: Random) -> str:
    """The query as it leaves the keyboard."""
    return misspell(intended, rng) if rng.random() < MISSPELT_RATIO else intended


def misspell(query: str, rng: Random) -> str:
    """The query with one letter of its longest word typed three times over: close to a word, and none."""
    word = max(query.split(), key=len)
    at = rng.randrange(len(word))
    return query.replace(word, word[:at] + word[at] * 3 + word[at + 1 :], 1)
