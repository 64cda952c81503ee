"""Recorded arrivals: instants in seconds from the start, from a text file or from a scenario's own list."""

import math
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

MOST_INSTANTS = 1_000_000
END_S = 7 * 86400.0  # a scenario's longest duration
_MOST_BYTES = 64 * 2**20
_MOST_PROBLEMS = 5  # of one trace: a file of something else is wrong in every line
_PER_LINE = 1000

Instants = tuple[float, ...]


def read_trace(source: object, folder: Path) -> tuple[Instants, list[str]]:
    """The instants, ascending from 0 to below 7 days, and one sentence for each problem.

    `source` is a file's path, relative to `folder`, or a list of numbers and of texts with several numbers each.
    """
    if isinstance(source, str):
        return _read_file(folder / source)
    if isinstance(source, list):
        return _read(source, "trace", "entry")
    return (), [f"trace is {source!r:.80}, but must be the path of a file or a list of instants in seconds"]


def write_trace(instants: Instants) -> str:
    """The instants as a TOML list that `read_trace` reads: a parser takes a long text far faster than its numbers."""
    lines = (instants[at : at + _PER_LINE] for at in range(0, len(instants), _PER_LINE))
    return "[" + ",\n".join(f"'{' '.join(map(repr, line))}'" for line in lines) + "]"


def _read_file(path: Path) -> tuple[Instants, list[str]]:
    try:
        if path.exists() and not path.is_file():
            return (), [f"trace {path} is not a file"]
        if (size := path.stat().st_size) > _MOST_BYTES:
            return (), [f"trace {path} has {size} bytes, but must have {_MOST_BYTES} at most"]
        with path.open(encoding="utf-8-sig") as file:
            return _read((line.partition("#")[0] for line in file), f"trace {path}", "line")
    except OSError as error:
        return (), [f"trace {path} cannot be read: {error.strerror}"]
    except ValueError:  # bytes that are no text, or a path with a NUL
        return (), [f"trace {str(path)!r} cannot be read: it is not text"]


def _read(entries: Iterable[object], name: str, unit: str) -> tuple[Instants, list[str]]:
    instants: list[float] = []
    problems: list[str] = []
    for number, entry in enumerate(entries, start=1):
        last_s = instants[-1] if instants else 0.0
        found = _numbers(entry)
        if found is not None and _ascend(last_s, found):
            instants += found
        else:
            problems.append(f"{name}: {unit} {number} is {_first_wrong(entry, last_s)}")
        if len(instants) > MOST_INSTANTS:
            return (), [*problems, f"{name} holds more than {MOST_INSTANTS} instants, which is the most there may be"]
    if not instants and not problems:
        problems = [f"{name} holds no instants, but must hold at least one"]
    if len(problems) > _MOST_PROBLEMS:
        more = f"{name}: {len(problems) - _MOST_PROBLEMS} more of its entries are wrong"
        problems = [*problems[:_MOST_PROBLEMS], more]
    return tuple(instants), problems


def _parts(entry: object) -> list[object]:
    return [*entry.split()] if isinstance(entry, str) else [entry]


def _numbers(entry: object) -> list[float] | None:
    try:
        return [_number(part) for part in _parts(entry)]
    except ValueError:
        return None


def _number(part: object) -> float:
    """One instant; ValueError when it is not a number."""
    if isinstance(part, bool) or not isinstance(part, str | int | float):
        raise ValueError
    try:
        return float(part)
    except OverflowError:  # a whole number beyond every float
        return math.inf


def _ascend(last_s: float, found: list[float]) -> bool:
    """Whether the numbers, none of them NaN, go on from `last_s` without a step back and end in time."""
    return all(before <= after for before, after in pairwise([last_s, *found])) and (not found or found[-1] < END_S)


def _first_wrong(entry: object, last_s: float) -> str:
    for part in _parts(entry):
        try:
            instant_s = _number(part)
        except ValueError:
            break
        if not 0 <= instant_s < END_S:
            return f"{instant_s:g}, but must be a number of seconds from 0 to below {END_S:.0f} (7 days)"
        if instant_s < last_s:
            return f"{instant_s!r}, but must not lie before {last_s!r}, which stands before it"
        last_s = instant_s
    return f"{part!r:.80}, but must be a number of seconds from the start"
