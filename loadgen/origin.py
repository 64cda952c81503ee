"""From the access logs of edge and shop (JSON lines) to the rows of origin.csv."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from loadgen.records import Json


@dataclass(frozen=True, slots=True)
class OriginRow:
    """Requests of one second, tier, page kind and cache status, as that tier logged them."""

    elapsed_s: int
    tier: str
    page_kind: str
    cache_status: str
    request_count: int
    sent_bytes: int

    def as_row(self) -> dict[str, Json]:
        """The row by column name."""
        return {name: getattr(self, name) for name in self.__slots__}


def rows_from_access_log(lines: Iterable[str], tier: str, started_at: float, ended_at: float) -> Iterator[OriginRow]:
    """Rows of the requests answered between the two instants; lines that are no JSON object are passed over."""
    requests: Counter[tuple[int, str, str]] = Counter()
    sent_bytes: Counter[tuple[int, str, str]] = Counter()
    for text in lines:
        try:
            line = json.loads(text)
            at, size = float(line["at"]), int(line["bytes"])
            key = (int(at - started_at), str(line["kind"] or "other"), str(line.get("cache") or "none").lower())
        except (ValueError, TypeError, KeyError):
            continue
        if started_at <= at <= ended_at:
            requests[key] += 1
            sent_bytes[key] += size
    for key in sorted(requests):
        yield OriginRow(key[0], tier, key[1], key[2], requests[key], sent_bytes[key])
