"""Latencies as sparse HdrHistogram counts: what workers record, masters merge and reports read.

The buckets are HdrHistogram's own (http://hdrhistogram.org) for 1 µs .. 1 h at 3 significant digits: sub-buckets of
2048, so that a value is off by at most 1/1000. A dictionary of the counts that are not zero costs a fraction of the
141 KB that a full histogram takes, and merging is adding.
"""

import math
from collections.abc import Mapping
from typing import Self

LOWEST_US = 1
HIGHEST_US = 3_600_000_000
SIGNIFICANT_DIGITS = 3
_SUB_BUCKET_BITS = 11  # smallest power of two that holds 2 * 10**3
_HALF_BITS = _SUB_BUCKET_BITS - 1
_HALF_COUNT = 1 << _HALF_BITS


def index_of(value_us: int) -> int:
    """The bucket that counts a value of 0 .. HIGHEST_US microseconds."""
    shift = max(0, value_us.bit_length() - _SUB_BUCKET_BITS)
    return (shift << _HALF_BITS) + (value_us >> shift)


def value_at(index: int) -> int:
    """The highest value in microseconds that falls into the bucket `index`."""
    shift = max(0, (index >> _HALF_BITS) - 1)
    return ((index - (shift << _HALF_BITS) + 1) << shift) - 1


class Histogram:
    """Counts by bucket; a value above an hour counts as an hour, so that none is lost."""

    __slots__ = ("counts",)

    def __init__(self) -> None:
        self.counts: dict[int, int] = {}

    @classmethod
    def from_counts(cls, counts: Mapping[int, int]) -> Self:
        """A histogram of these counts by bucket index."""
        histogram = cls()
        histogram.counts = dict(counts)
        return histogram

    def record(self, value_us: int, count: int = 1) -> None:
        """Count a latency in whole microseconds, clamped to 0 .. HIGHEST_US."""
        index = index_of(min(max(0, value_us), HIGHEST_US))
        self.counts[index] = self.counts.get(index, 0) + count

    def merge(self, other: "Histogram") -> None:
        """Add the counts of another histogram to this one, without loss."""
        for index, count in other.counts.items():
            self.counts[index] = self.counts.get(index, 0) + count

    def remove(self, other: "Histogram") -> None:
        """Take the counts of another histogram, merged before, out of this one again."""
        for index, count in other.counts.items():
            left = self.counts.get(index, 0) - count
            if left > 0:
                self.counts[index] = left
            else:
                self.counts.pop(index, None)

    def count_above(self, limit_us: float, *, or_at: bool = False) -> int:
        """How many recorded values, to the bucket's precision, lie above a limit, or at it too."""
        return sum(
            count
            for index, count in self.counts.items()
            if (value := value_at(index)) > limit_us or (or_at and value == limit_us)
        )

    @property
    def count(self) -> int:
        """How many values were recorded."""
        return sum(self.counts.values())

    @property
    def max_us(self) -> int:
        """The highest recorded value, to the bucket's precision; 0 when empty."""
        return value_at(max(self.counts)) if self.counts else 0

    def percentile_us(self, percent: float) -> int:
        """The smallest value that `percent` (0..100) of all values do not exceed; 0 when empty."""
        return self.percentiles_us((percent,))[0]

    def percentiles_us(self, percents: tuple[float, ...]) -> tuple[int, ...]:
        """Several percentiles in ascending order, from one pass over the buckets."""
        total = self.count
        buckets = sorted(self.counts.items())
        found: list[int] = []
        position, seen = 0, 0
        for percent in percents:
            rank = max(1, math.ceil(round(percent / 100 * total, 6)))
            while position < len(buckets) and seen + buckets[position][1] < rank:
                seen += buckets[position][1]
                position += 1
            found.append(value_at(buckets[position][0]) if position < len(buckets) else self.max_us)
        return tuple(found)
