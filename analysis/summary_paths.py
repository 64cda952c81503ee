"""Reading figures out of parts' summaries, which older runs may lack; pure."""

from collections.abc import Iterable, Mapping

from loadgen.records import Json


def found(document: Json, *path: str) -> Json:
    """What stands at a path of a summary, None where nothing does."""
    for part in path:
        document = document.get(part) if isinstance(document, Mapping) else None
    return document


def number(document: Json, *path: str) -> float | None:
    """The number at a path of a summary, None where there is none."""
    value = found(document, *path)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def total(documents: Iterable[Json], *path: str) -> int | None:
    """The sum of a count over several summaries; None where none of them has it."""
    counts = [value for document in documents if (value := number(document, *path)) is not None]
    return int(sum(counts)) if counts else None


def weighted_mean(rows: Iterable[Json], name: str, weight: str) -> float | None:
    """The mean of a figure, each weighted by a count beside it; None where nothing was counted."""
    pairs = [(value, number(row, weight) or 0.0) for row in rows if (value := number(row, name)) is not None]
    counted = sum(count for _, count in pairs)
    return sum(value * count for value, count in pairs) / counted if counted else None
