"""memory-leak: the text of every page that was ever drawn is kept.

A list for debugging that nobody empties, a cache whose key never comes again, a listener per request: all grow with
traffic and not with time, so that a test of ten users sees nothing. A worker grows by twice the size of all pages that
it draws, until the machine is out of memory; a run of half a minute sees the slope, and nothing else is wrong yet.
"""

from reference_shop.defects._planting import replace
from reference_shop.web.pages import Pages

_sound_draw = Pages.draw
_drawn: list[str] = []


def _draw(self: Pages, template: str, **values: object) -> bytes:
    page = _sound_draw(self, template, **values)
    _drawn.append(page.decode())  # two bytes a character, as one of them is beyond Latin-1
    return page


def plant() -> None:
    """Replace the drawing of pages."""
    replace(Pages, "draw", _draw)
