"""memory-leak: every page that was ever drawn is kept.

A list for debugging that nobody empties, a cache whose key never comes again, a listener per request: all grow with
traffic and not with time, so that a test of ten users sees nothing. A worker grows by some 3 MB for every hundred
pages, until the machine is out of memory.
"""

from reference_shop.defects._planting import replace
from reference_shop.web.pages import Pages

_sound_draw = Pages.draw
_drawn: list[bytes] = []


def _draw(self: Pages, template: str, **values: object) -> bytes:
    page = _sound_draw(self, template, **values)
    _drawn.append(page)
    return page


def plant() -> None:
    """Replace the drawing of pages."""
    replace(Pages, "draw", _draw)
