"""Turns what the services say into HTML; all templates are compiled at start."""

from datetime import datetime, timedelta, timezone
from functools import lru_cache
from itertools import groupby
from typing import Any, cast

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from reference_shop.domain.catalogue import Category
from reference_shop.web.caching import PRIVATE
from reference_shop.web.cookies import visitor_secret
from reference_shop.web.files import StaticFiles
from reference_shop.web.kinds import is_personal

_KEPT_CARD_LISTS = 1000
_JAKARTA = timezone(timedelta(hours=7), "WIB")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "Mei", "Jun", "Jul", "Agu", "Sep", "Okt", "Nov", "Des")


class Pages:
    """The templates and what all of them share."""

    def __init__(self, static: StaticFiles) -> None:
        """Compile every template; `open_shop` must follow before the first page."""
        self._environment = Environment(
            loader=PackageLoader("reference_shop.web", "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.filters.update(rupiah=rupiah, thousands=thousands, tenths=tenths, day=day, clock=clock)
        self._environment.globals.update(asset=static.address, icons=Markup(static.address("icons.svg")))  # noqa: S704
        # Most of a page's cost, and the same cards stand on many pages: while they are equal, so is their HTML.
        draw_cards = cast("Any", self._environment.get_template("macros.html").module).cards
        self._environment.globals.update(cards=lru_cache(_KEPT_CARD_LISTS)(draw_cards))
        self._templates = {
            name: self._environment.get_template(name) for name in self._environment.list_templates(extensions=["html"])
        }

    def open_shop(self, categories: tuple[Category, ...]) -> None:
        """Draw the menu, the same on every page."""
        departments = [(name, list(shelf)) for name, shelf in groupby(categories, lambda category: category.department)]
        menu = self._templates["menu.html"].render(departments=departments)
        self._environment.globals.update(menu=Markup(menu), departments=departments)  # noqa: S704  (our own rendering)
        # A template copies the globals when it is loaded.
        for template in self._templates.values():
            template.globals.update(self._environment.globals)

    def draw(self, template: str, **values: object) -> bytes:
        """Return a page's bytes."""
        return self._templates[template].render(values).encode()

    def personal(self, request: Request, template: str, status: int = 200, **values: object) -> Response:
        """Answer with a page for one shopper only; at an address of their own it says for whom it was made."""
        visitor = visitor_secret(request.cookies) if is_personal(request.scope["path"]) else None
        body = self.draw(template, visitor=visitor, **values)
        return Response(body, status, media_type="text/html", headers={"cache-control": PRIVATE})


def see_other(address: str) -> Response:
    """Answer a POST with the page to go on to."""
    return Response(status_code=303, headers={"location": address, "cache-control": PRIVATE})


# Digits need no escaping; as Markup they are not looked at again, twenty times a page.
def rupiah(amount_idr: int) -> Markup:
    """Write an amount as Indonesians do: Rp12.500."""
    return Markup("Rp" + f"{amount_idr:,}".replace(",", "."))  # noqa: S704


def thousands(number: int) -> Markup:
    """Write a number with dots between the thousands."""
    return Markup(f"{number:,}".replace(",", "."))  # noqa: S704


def tenths(number: int) -> Markup:
    """Write a number of tenths with a decimal comma: 4,8."""
    return Markup(f"{number // 10},{number % 10}")  # noqa: S704


def day(instant: datetime) -> str:
    """Write a date of Jakarta."""
    local = instant.astimezone(_JAKARTA)
    return f"{local.day} {_MONTHS[local.month - 1]} {local.year}"


def clock(instant: datetime) -> str:
    """Write date and time of Jakarta."""
    local = instant.astimezone(_JAKARTA)
    return f"{day(instant)} {local:%H.%M} WIB"
