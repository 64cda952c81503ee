"""Typed reading of a TOML table: every wrong or unknown key becomes a sentence, and reading goes on."""

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress

from loadgen.units import parse_duration


class Fields:
    """One table of a configuration file. All tables of a file share one list of problems."""

    def __init__(self, values: dict[str, object], name: str, problems: list[str] | None = None) -> None:
        self.problems: list[str] = problems if problems is not None else []
        self._values = values
        self._name = name
        self._asked: set[str] = set()
        self._inner: list[Fields] = []
        self._sources: dict[str, str] = {}
        self._unsound: set[str] = set()

    def override(self, key: str, given: tuple[str, str] | None) -> None:
        """Let a flag or variable, as (where it was given, text), stand for the key's value."""
        if given:
            self._sources[key], self._values[key] = given

    def value(self, key: str) -> object:
        """Whatever is there, for somebody else to judge; None when nothing is."""
        return self._get(key, None)

    def refuse(self, key: str, why: str) -> None:
        """Find the key wrong, whatever its value, when it is there at all."""
        if (value := self._get(key, None)) is not None:
            self._find_wrong(key, value, why)

    def sound(self, *keys: str) -> bool:
        """Whether nothing has been found wrong with these keys; they may be missing."""
        return self._unsound.isdisjoint(keys)

    def problem(self, sentence: str) -> None:
        """Add a problem of this table that is not one key's alone."""
        self.problems.append(f"{self._name}{sentence}")

    def text(self, key: str, default: str) -> str:
        """A string."""
        value = self._get(key, default)
        if not isinstance(value, str):
            self._wrong(key, value, "a string")
            return default
        return value

    def optional_text(self, key: str) -> str | None:
        """A string, or None when the key is not there."""
        return self.text(key, "") or None

    def choice(self, key: str, default: str, valid: Sequence[str]) -> str:
        """One of the valid names."""
        value = self.text(key, default)
        if value not in valid:
            self._wrong(key, value, f"one of {', '.join(valid)}")
            return default
        return value

    def number(self, key: str, default: float, *, low: float, high: float) -> float:
        """A number from low to high."""
        value = self._as_number(key, default)
        if value is None or not low <= value <= high:
            self._wrong(key, self._values.get(key), f"a number from {low:g} to {high:g}")
            return default
        return value

    def whole(self, key: str, default: int, *, low: int, high: int) -> int:
        """A whole number from low to high."""
        value = self._get(key, default)
        if isinstance(value, str) and key in self._sources:
            with suppress(ValueError):
                value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            self._wrong(key, value, f"a whole number from {low} to {high}")
            return default
        return value

    def duration(self, key: str, default: float, *, low: float = 0.0) -> float:
        """Seconds, from "90s" or "2m"."""
        value = self._get(key, default)
        try:
            seconds = parse_duration(value) if isinstance(value, str | int | float) else -1.0
        except (ValueError, OverflowError):  # the latter from a whole number beyond every float
            seconds = -1.0
        if not low <= seconds <= 7 * 86400:
            self._wrong(key, value, f"a duration from {low:g} s to 7 days, such as 90s or 2m")
            return default
        return seconds

    def points(self, key: str, default: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
        """Pairs (share of the time, factor from 0 to 1000), the times ascending from 0 to 1."""
        value = self._get(key, default)
        pairs = [_pair(entry) for entry in value] if isinstance(value, list | tuple) else []
        points = tuple(pair for pair in pairs if pair is not None)
        times = [at for at, _ in points]
        if (
            len(points) < 2
            or len(points) != len(pairs)
            or times != sorted(times)
            or (times[0], times[-1]) != (0.0, 1.0)
        ):
            pairs_of = "pairs [share of the duration, share of the rate or the users from 0 to 1000]"
            self._wrong(key, value, f"{pairs_of} with times ascending from 0 to 1")
            return default
        return points

    def shares(self, key: str, default: Mapping[str, float], valid: Sequence[str]) -> Mapping[str, float]:
        """Shares by name that add up to 1."""
        value = self._get(key, default)
        numbers = (
            {name: float(share) for name, share in value.items() if _is_share(share)}
            if isinstance(value, Mapping)
            else {}
        )
        if (
            not isinstance(value, Mapping)
            or len(numbers) != len(value)
            or not set(numbers) <= set(valid)
            or abs(sum(numbers.values()) - 1) > 1e-6
        ):
            self._wrong(key, value, f"shares that add up to 1, of {', '.join(valid)}")
            return default
        return numbers

    def mapping(self, key: str) -> Mapping[str, object]:
        """A table whose keys are read by somebody else."""
        value = self._get(key, {})
        if not isinstance(value, dict):
            self._wrong(key, value, "a table")
            return {}
        return value

    def table(self, key: str) -> "Fields":
        """A table within this one, empty when it is not there."""
        return self._open(dict(self.mapping(key)), f"{self._name}[{key}] ")

    def tables(self, key: str) -> list["Fields"]:
        """An array of tables within this one."""
        value = self._get(key, [])
        if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
            self._wrong(key, value, "an array of tables")
            return []
        return [self._open(dict(entry), f"{self._name}[[{key}]] ") for entry in value]

    def finish(self) -> list[str]:
        """All problems, after naming the keys that nobody asked for."""
        for key in self._values:
            if key not in self._asked:
                self.problems.append(f"{self._name}{key} is not a key; known: {', '.join(sorted(self._asked))}")
        for inner in self._inner:
            inner.finish()
        return self.problems

    def _open(self, values: dict[str, object], name: str) -> "Fields":
        inner = Fields(values, name, self.problems)
        self._inner.append(inner)
        return inner

    def _get(self, key: str, default: object) -> object:
        self._asked.add(key)
        return self._values.get(key, default)

    def _as_number(self, key: str, default: float) -> float | None:
        value = self._get(key, default)
        readable = (int, float, str) if key in self._sources else (int, float)
        if isinstance(value, bool) or not isinstance(value, readable):
            return None
        try:
            number = float(value)
        except (ValueError, OverflowError):  # the latter from a whole number beyond every float
            return None
        return number if math.isfinite(number) else None

    def _wrong(self, key: str, value: object, wanted: str) -> None:
        self._find_wrong(key, value, f"must be {wanted}")

    def _find_wrong(self, key: str, value: object, why: str) -> None:
        self._unsound.add(key)
        self.problems.append(f"{self._sources.get(key) or self._name + key} is {value!r:.80}, but {why}")


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _pair(entry: object) -> tuple[float, float] | None:
    match entry:
        case [int() | float() as at, int() | float() as factor] | (int() | float() as at, int() | float() as factor):
            if not isinstance(at, bool) and not isinstance(factor, bool) and 0 <= at <= 1 and 0 <= factor <= 1000:
                return float(at), float(factor)
    return None
