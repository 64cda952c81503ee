"""The CSV files of a run directory as tables of numbers that may be counted with; between the files and `Recording`."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from loadgen.errors import RunDirectoryProblem
from loadgen.records import LONGEST_S, read_cells

TEXT_COLUMNS = frozenset(
    {"page_kind", "segment", "tier", "role", "cache_status", "cache", "status", "key", "check", "queue"}
)
REAL_COLUMNS = frozenset({"cpu_ratio", "paid_s_sum", "oldest_at", "present_s", "limit", "in_use", "waited_s"})
_MOST = 2**53  # up to which a double holds every whole number
_ROWS = 20_000  # of text that are held at once
_FIRST_LINE = 2
_Numbers = npt.NDArray[np.float64]


def read_table(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """A file's rows, empty when it is not there; counts are int64, REAL_COLUMNS float64, names str.

    RunDirectoryProblem for other columns, and for what nobody can have counted: NaN, below 0, above 2**53, no number.
    """
    parts: dict[str, list[_Numbers]] = {column: [] for column in columns if column not in TEXT_COLUMNS}
    names: dict[str, list[str]] = {column: [] for column in columns if column in TEXT_COLUMNS}
    rows, line = read_cells(path, columns), _FIRST_LINE
    known: dict[str, str] = {}
    while chunk := list(islice(rows, _ROWS)):
        for column, cells in zip(columns, zip(*chunk, strict=True), strict=True):
            if column in names:
                names[column] += [known.setdefault(cell, cell) for cell in cells]
            else:
                parts[column].append(_numbers(path, line, column, cells))
        line += len(chunk)
    return pd.DataFrame({column: _series(column, parts.get(column), names.get(column)) for column in columns})


def _series(column: str, parts: list[_Numbers] | None, names: list[str] | None) -> pd.Series:
    if parts is None:
        return pd.Series(names, dtype="str")
    numbers = np.concatenate(parts) if parts else np.zeros(0)
    return pd.Series(numbers if column in REAL_COLUMNS else numbers.round().astype(np.int64))


def _numbers(path: Path, first_line: int, column: str, cells: Sequence[str]) -> _Numbers:
    most = LONGEST_S if column == "elapsed_s" else _MOST
    try:
        numbers = np.array(cells, dtype=np.float64)
    except ValueError:
        numbers = np.array(list(_tolerant(cells)))
    wrong = np.flatnonzero(~((numbers >= 0) & (numbers <= most)))
    if len(wrong):
        cell = cells[wrong[0]][:40]
        told = f"{column} is {cell!r}, but must be a number from 0 to {most:.0f}"
        raise RunDirectoryProblem(f"{path.name} is damaged at line {first_line + wrong[0]}: {told}")
    return numbers


def _tolerant(cells: Sequence[str]) -> Iterator[float]:
    """NaN for what is no number, so that its line can be named."""
    for cell in cells:
        try:
            yield float(cell)
        except ValueError:
            yield float("nan")
