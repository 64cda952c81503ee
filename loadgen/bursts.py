"""Bursts of fetches of one key: what one expiry cost the origin. One fetch each is best."""

from collections.abc import Iterator, Mapping
from heapq import nlargest

MOST_KEYS = 1000
_MOST_OPEN = 16  # bursts of a key that a late fetch may still join; older ones are over


class KeyBursts:
    """Fetches of one key, put together where their times overlap, directly or by others between them.

    They come roughly in the order of their ends: one that began before several others ended joins them all.
    """

    __slots__ = ("_largest_over_count", "_open", "_over_count", "request_count")

    def __init__(self) -> None:
        self.request_count = 0
        self._over_count = 0
        self._largest_over_count = 0
        self._open: list[tuple[float, float, int]] = []  # (first start, last end, fetches), apart, in order

    def add(self, start: float, end: float) -> None:
        """Take in one fetch, in seconds of any one clock."""
        self.request_count += 1
        still_open = self._open
        if not still_open or start > still_open[-1][1]:
            still_open.append((start, end, 1))
        else:
            self._open = _joined(still_open, start, end)
        if len(self._open) > _MOST_OPEN:
            self._over_count += 1
            self._largest_over_count = max(self._largest_over_count, self._open.pop(0)[2])

    @property
    def burst_count(self) -> int:
        """How many bursts there were."""
        return self._over_count + len(self._open)

    @property
    def largest_count(self) -> int:
        """The fetches of the largest one."""
        return max(self._largest_over_count, *(count for _, _, count in self._open))


def most_fetched(keys: Mapping[tuple[str, str], KeyBursts]) -> Iterator[tuple[tuple[str, str], KeyBursts]]:
    """The thousand keys that were fetched most, the most fetched first, equals by their names."""
    by_name = sorted(keys.items(), key=lambda item: item[0])
    yield from nlargest(MOST_KEYS, by_name, key=lambda item: item[1].request_count)


def _joined(bursts: list[tuple[float, float, int]], start: float, end: float) -> list[tuple[float, float, int]]:
    """The bursts with one more fetch, which joins all those that it overlaps."""
    touched = [burst for burst in bursts if burst[0] <= end and start <= burst[1]]
    apart = [burst for burst in bursts if burst[0] > end or start > burst[1]]
    first = min((burst[0] for burst in touched), default=start)
    last = max((burst[1] for burst in touched), default=end)
    apart.append((min(first, start), max(last, end), sum(burst[2] for burst in touched) + 1))
    return sorted(apart)
