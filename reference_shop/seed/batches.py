"""Cuts a stream of rows into what one COPY takes: enough to be fast, few enough to hold."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

ROWS_PER_COPY = 5_000
Row = TypeVar("Row")


def in_batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Yield lists of at most `ROWS_PER_COPY` rows."""
    stream = iter(rows)
    while batch := list(islice(stream, ROWS_PER_COPY)):
        yield batch
