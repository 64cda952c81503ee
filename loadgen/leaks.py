"""What the run's history tells of a leak: where it was, and what the answer said of itself; no secret, no cookie."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Self
from urllib.parse import urlsplit

from loadgen.cache_headers import header
from loadgen.records import Event

MOST_TOLD = 20  # of each check, by each worker; all are counted
_MOST_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class Leak:
    """One finding. `url` is path and query, `key` the same with the host before it, `told` a sentence."""

    check: str
    url: str
    page_kind: str
    cache_status: str
    cache_control: str
    key: str
    told: str

    @classmethod
    def at(cls, url: str, check: str, page_kind: str, headers: Mapping[str, object], told: str) -> Self:
        """The same from an absolute URL, and the header fields of the answer."""
        parts = urlsplit(url)
        asked = parts.path + (f"?{parts.query}" if parts.query else "")
        return cls(
            check=check,
            url=asked,
            page_kind=page_kind,
            cache_status=header(headers, "cache-status"),
            cache_control=header(headers, "cache-control"),
            key=parts.netloc.rpartition("@")[2] + asked,
            told=told,
        )


class Leaks:
    """Makes an event of each of the first findings of a check."""

    def __init__(self) -> None:
        self._told: Counter[str] = Counter()

    def wants(self, check: str) -> bool:
        """Whether the next finding of a check would be told."""
        return self._told[check] < MOST_TOLD

    def tell(self, at: float, leak: Leak) -> tuple[Event, ...]:
        """The event of a finding at an instant, in seconds since the epoch; none when enough were told."""
        if not self.wants(leak.check):
            return ()
        self._told[leak.check] += 1
        return (Event(at, "leak", {name: text[:_MOST_CHARACTERS] for name, text in asdict(leak).items()}),)
