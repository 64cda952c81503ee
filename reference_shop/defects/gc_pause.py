"""gc-pause: a worker keeps a large web of small objects, and has the collector go through all of it every fifty pages.

A cache of Python objects that know each other (products, variants, offers), and a `gc.collect()` that somebody put in
against a growing heap. A full collection visits every container that lives and whatever it refers to, and nothing is
served meanwhile: the pause grows with what is kept and not with what is thrown away. Means hardly move; the slowest
hundredth of all pages does.
"""

import gc
import random
from itertools import count

from reference_shop.defects._planting import replace
from reference_shop.web.pages import Pages

_PAGES_PER_COLLECTION = 50
_KEPT_COUNT = 400_000
_NEIGHBOUR_COUNT = 8

_sound_draw = Pages.draw
_pages = count(1)
_kept: list[list[object]] = []


def _draw(self: Pages, template: str, **values: object) -> bytes:
    if next(_pages) % _PAGES_PER_COLLECTION == 0:
        gc.collect()
    return _sound_draw(self, template, **values)


def plant() -> None:
    """Fill the heap, some 35 MB, and replace the drawing of pages."""
    _kept.extend([] for _ in range(_KEPT_COUNT))
    neighbours = _kept.copy()
    random.Random(0).shuffle(neighbours)  # near in the web is far in memory, as after hours of work
    for number, kept in enumerate(_kept):
        first = number * _NEIGHBOUR_COUNT % _KEPT_COUNT
        kept.extend(neighbours[first : first + _NEIGHBOUR_COUNT])
    replace(Pages, "draw", _draw)
