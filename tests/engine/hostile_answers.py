"""The bad answers that a hostile server gives: 10,000 and more, the same ones for the same seed.

The server and the test both make them from the seed, and speak of each by its number.
"""

from collections.abc import Callable, Mapping
from functools import cache

from tests.engine import hostile_contents, hostile_framing
from tests.engine.hostile_cases import Case, Cases, Random

SEED = 20260927


@cache
def corpus(seed: int = SEED) -> tuple[Case, ...]:
    """All cases; the number of one is its place."""
    cases: list[Case] = []
    for family, made_by in _FAMILIES.items():
        for case in made_by(Random(f"{seed} {family}")):
            fields = {name: getattr(case, name) for name in Case.__slots__}
            cases.append(Case(**{**fields, "family": family}))
    return tuple(cases)


_FAMILIES: Mapping[str, Callable[[Random], Cases]] = {
    made_by.__name__.replace("_", " "): made_by for made_by in (*hostile_framing.FAMILIES, *hostile_contents.FAMILIES)
}
