"""What the purger is told on its standard input: one JSON document."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from reference_shop.protections.catalogue_cache import TTL_S

WAYS = ("url", "key")

_HERE = "127.0.0.1"
_HOST = re.compile(r"[A-Za-z0-9._:\[\]-]{1,255}")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MOST_AGAIN_S = 60.0
# A page that a cache fetches just after a change may still be made of what a worker read a second before it.
_AGAIN_AFTER_S = TTL_S + 0.25


@dataclass(frozen=True, slots=True)
class DoorSettings:
    """Where a cache takes purges: `cache` is its name, `port` that of its door on 127.0.0.1, `way` how it is asked."""

    cache: str
    port: int
    way: str


@dataclass(frozen=True, slots=True)
class PurgerSettings:
    """The names are those of the JSON document. `host` is the one in the caches' keys.

    A product is purged once more `again_after_s` after its last change; None: it is not.
    """

    database_url: str
    schema: str
    doors: tuple[DoorSettings, ...]
    host: str
    again_after_s: float | None = _AGAIN_AFTER_S
    run_as: str | None = None

    @staticmethod
    def from_json(text: str) -> "PurgerSettings":
        """Read the document; raises ValueError or TypeError for one that is not as it must be."""
        document = _object(json.loads(text), "the document")
        how, doors = document.pop("how", None), document.pop("doors", None)
        if how not in WAYS:
            raise ValueError(f"how is {how!r}, it must be one of {', '.join(WAYS)}")
        if not isinstance(doors, list) or not doors:
            raise ValueError("doors must be a list of at least one door")
        settings = PurgerSettings(doors=tuple(_door(_object(door, "a door"), how) for door in doors), **document)
        if not _HOST.fullmatch(settings.host):
            raise ValueError(f"host is {settings.host!r}, which is no host")
        if settings.again_after_s is not None and not 0 < settings.again_after_s <= _MOST_AGAIN_S:
            raise ValueError(
                f"again_after_s is {settings.again_after_s}, it must be above 0 and at most {_MOST_AGAIN_S:.0f}"
            )
        return settings


def _door(fields: Mapping[str, Any], how: str) -> DoorSettings:
    if missing := {"cache", "url", "by"} - set(fields):
        raise ValueError(f"a door has no {sorted(missing)[0]}")
    cache, url, able = fields["cache"], fields["url"], fields["by"]
    if not isinstance(cache, str) or not _NAME.fullmatch(cache):
        raise ValueError(f"a door's cache is {cache!r}, which is no name")
    way = how if how in able else "url"
    if way not in able:
        raise ValueError(f"the door of {cache} can be purged by {', '.join(able) or 'nothing'}, and not by {way}")
    parts = urlsplit(url)
    if (parts.scheme, parts.hostname) != ("http", _HERE) or not parts.port:
        raise ValueError(f"the door of {cache} is {url!r}: it must be http://{_HERE}:PORT")
    return DoorSettings(cache, parts.port, way)


def _object(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{what} must be an object")
    return value
