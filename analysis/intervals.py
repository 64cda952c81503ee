"""latency.hlog in memory: the histograms of all seconds and tags as columns; between the log and `Recording`.

An hour at thousands of requests a second has tens of millions of buckets: as dictionaries they would take gigabytes, as
columns (two bytes a bucket, two or four its count) they take a tenth, and sums over any stretch take milliseconds.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from loadgen.histogram import HIGHEST_US, Histogram, index_of
from loadgen.hlog import HlogLine, PackedLine, Tag

_BUCKETS = index_of(HIGHEST_US) + 1
_BATCH_BYTES = 1 << 20  # of bodies that are unpacked at once: what numpy needs meanwhile is a few dozen times as much
_Integers: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Column:
    """All intervals of one tag by second: interval i has the buckets and counts from `ends[i]` up to `ends[i + 1]`."""

    seconds: list[int]
    ends: list[int]
    buckets: npt.NDArray[np.uint16]
    counts: npt.NDArray[np.uint32] | npt.NDArray[np.uint16]

    def among(self, start_s: float, end_s: float) -> slice:
        """The buckets of the seconds from `start_s` up to, not including, `end_s`."""
        first, last = bisect_left(self.seconds, start_s), bisect_left(self.seconds, end_s)
        return slice(self.ends[first], self.ends[last])

    def histogram(self, wanted: slice) -> Histogram:
        """These buckets as one histogram."""
        return Histogram.from_counts(_counts(self.buckets[wanted], self.counts[wanted]))


class Intervals(Mapping[int, Sequence[HlogLine]]):
    """The log by second, as a mapping whose values are made when asked for, and sums that need none of them."""

    def __init__(self, lines: Iterable[PackedLine]) -> None:
        """Takes in the lines of a log in any order; those of the same second and tag add up. Raises ValueError."""
        gathered: defaultdict[Tag, list[tuple[int, bytes]]] = defaultdict(list)
        for line in lines:
            gathered[line.tag].append((line.elapsed_s, line.body))
        self._columns = {tag: _column(gathered.pop(tag)) for tag in list(gathered)}
        self._seconds = sorted({second for column in self._columns.values() for second in column.seconds})

    def __getitem__(self, second: int) -> Sequence[HlogLine]:
        found = []
        for tag, column in self._columns.items():
            wanted = column.among(second, second + 1)
            if wanted.start < wanted.stop:
                found.append(HlogLine(second, tag, column.histogram(wanted)))
        if not found:
            raise KeyError(second)
        return found

    def __iter__(self) -> Iterator[int]:
        return iter(self._seconds)

    def __len__(self) -> int:
        return len(self._seconds)

    @property
    def tags(self) -> Sequence[Tag]:
        """Every tag, in the order of its first line."""
        return tuple(self._columns)

    @property
    def last_s(self) -> int:
        """The last second that holds anything, -1 without one."""
        return self._seconds[-1] if self._seconds else -1

    def summed(self, start_s: float, end_s: float) -> Iterator[tuple[Tag, Histogram]]:
        """By tag, everything from `start_s` up to, not including, `end_s`; without tags that recorded nothing there."""
        for tag, column in self._columns.items():
            wanted = column.among(start_s, end_s)
            if wanted.start < wanted.stop:
                yield tag, column.histogram(wanted)

    def binned(self, wanted: Callable[[Tag], bool], bin_s: int, bin_count: int) -> list[Histogram]:
        """One histogram a bin of `bin_s` seconds, of all tags that are wanted; what lies beyond falls into the last."""
        columns = [column for tag, column in self._columns.items() if wanted(tag)]
        edges = [bin_s * number for number in range(bin_count)]
        return [
            _merged(columns, edge if edge else float("-inf"), edge + bin_s if edge < edges[-1] else float("inf"))
            for edge in edges
        ]

    def by_second(self, measure: str) -> Iterator[tuple[int, Tag, Histogram]]:
        """Every interval of the tags of a measure."""
        for tag, column in self._columns.items():
            if tag.measure == measure:
                for second in dict.fromkeys(column.seconds):
                    yield second, tag, column.histogram(column.among(second, second + 1))

    def counts(self, wanted: Callable[[Tag], bool], start_s: int, end_s: int) -> tuple[_Integers, _Integers]:
        """The tags that are wanted, second by second: counts[second, value] and the values' buckets, ascending.

        Only buckets that occur between `start_s` and `end_s` have a column.
        """
        columns = [column for tag, column in self._columns.items() if wanted(tag)]
        parts = [(column, column.among(start_s, end_s)) for column in columns]
        occurring = [np.unique(column.buckets[part]) for column, part in parts]
        buckets = np.unique(np.concatenate(occurring)) if occurring else np.zeros(0, np.uint16)
        table = np.zeros((end_s - start_s, len(buckets)), dtype=np.int64)
        for column, part in parts:
            lengths = np.diff(np.array(column.ends))
            rows = np.repeat(np.array(column.seconds, dtype=np.int64), lengths)[part] - start_s
            np.add.at(table, (rows, np.searchsorted(buckets, column.buckets[part])), column.counts[part])
        return table, buckets.astype(np.int64)

    def totals(self) -> Iterator[tuple[Tag, int]]:
        """How many values each tag holds in all."""
        for tag, column in self._columns.items():
            yield tag, int(column.counts.sum(dtype=np.int64))


def _merged(columns: Iterable[_Column], start_s: float, end_s: float) -> Histogram:
    parts = [(column, column.among(start_s, end_s)) for column in columns]
    if not parts:
        return Histogram()
    buckets = np.concatenate([column.buckets[part] for column, part in parts])
    return Histogram.from_counts(_counts(buckets, np.concatenate([column.counts[part] for column, part in parts])))


def _counts(buckets: npt.NDArray[np.uint16], counts: npt.NDArray[np.unsignedinteger]) -> dict[int, int]:
    """Counts by bucket, in ascending order; exact up to 2**53."""
    if not len(buckets):
        return {}
    dense = np.bincount(buckets, weights=counts)
    found = np.flatnonzero(dense)
    return dict(zip(found.tolist(), dense[found].astype(np.int64).tolist(), strict=True))


def _column(lines: list[tuple[int, bytes]]) -> _Column:
    lines.sort(key=lambda line: line[0])
    lengths: list[_Integers] = []
    buckets: list[npt.NDArray[np.uint16]] = []
    counts: list[npt.NDArray[np.uint32]] = []
    for batch in _batches([body for _, body in lines]):
        unpacked = _unpack(batch)
        lengths.append(unpacked[0])
        buckets.append(unpacked[1])
        counts.append(unpacked[2])
    ends = np.concatenate([np.zeros(1, np.int64), np.cumsum(np.concatenate(lengths))])
    together = np.concatenate(counts)
    small = not len(together) or int(together.max()) < 1 << 16
    return _Column(
        [second for second, _ in lines],
        ends.tolist(),
        np.concatenate(buckets),
        together.astype(np.uint16) if small else together,
    )


def _batches(bodies: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    batch: list[bytes] = []
    size = 0
    for body in bodies:
        batch.append(body)
        size += len(body)
        if size > _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _unpack(bodies: Sequence[bytes]) -> tuple[_Integers, npt.NDArray[np.uint16], npt.NDArray[np.uint32]]:
    """How many buckets each body holds, and all of them with their counts.

    A body is a row of zigzag LEB128 numbers: a count for the next bucket, or below 0 how many buckets are passed over.
    ValueError for a body that ends within a number, or names buckets or counts that no log of ours can hold.
    """
    sizes = np.array([len(body) for body in bodies], dtype=np.int64)
    data = np.frombuffer(b"".join(bodies), dtype=np.uint8)
    last = data < 0x80  # of its number
    stops = np.flatnonzero(last)
    body_stops = np.cumsum(sizes)
    if not last[body_stops[sizes > 0] - 1].all():
        raise ValueError("a histogram ends within a number")
    numbers = _zigzags(data, stops)
    of_body = np.searchsorted(body_stops, stops, side="right")
    steps = np.where(numbers < 0, -numbers, 1)
    positions = np.cumsum(steps) - steps  # the bucket at which each number stands, counted on through all bodies
    firsts = np.searchsorted(of_body, np.arange(len(bodies)))
    begins = positions[np.minimum(firsts, len(positions) - 1)] if len(positions) else np.zeros(len(bodies), np.int64)
    held = numbers > 0
    if len(steps) and steps.max() > _BUCKETS:
        raise ValueError("a histogram holds values that cannot be")
    owners = of_body[held]
    buckets = positions[held] - begins[owners]
    counts = numbers[held]
    if len(buckets) and (buckets.max() >= _BUCKETS or buckets.min() < 0 or counts.max() >= 1 << 32):
        raise ValueError("a histogram holds values or counts that cannot be")
    return np.bincount(owners, minlength=len(bodies)), buckets.astype(np.uint16), counts.astype(np.uint32)


def _zigzags(data: npt.NDArray[np.uint8], stops: _Integers) -> _Integers:
    """The numbers whose last bytes stand at `stops`; ValueError for one of more than 63 bits."""
    starts = np.concatenate([np.zeros(1, np.int64), stops[:-1] + 1]) if len(stops) else stops
    lengths = stops - starts + 1
    if len(lengths) and lengths.max() > 9:
        raise ValueError("a histogram holds a number that cannot be")
    values = np.zeros(len(stops), dtype=np.int64)
    for place in range(int(lengths.max()) if len(lengths) else 0):
        longer = lengths > place
        values[longer] |= (data[starts[longer] + place].astype(np.int64) & 0x7F) << (7 * place)
    return (values >> 1) ^ -(values & 1)
