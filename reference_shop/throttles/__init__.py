"""Throttles make a part of the stack smaller than this machine would: `--throttle TIER.KIND=VALUE`.

A bottleneck that was put there on purpose is one that an analysis must find.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

TIERS = ("shop", "payment", "database", "edge")
_FORM = re.compile(r"(?P<tier>[^.=]+)\.(?P<kind>[^.=]+)=(?P<value>.+)")
_WHOLE = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Throttle:
    """One throttle. `value`: requests at once (a whole number), milliseconds, or a share of one core (0 to 1)."""

    tier: str
    kind: str
    value: float

    def __str__(self) -> str:
        """Write it as it is read."""
        return f"{self.tier}.{self.kind}={self.value:.15g}"


@dataclass(frozen=True, slots=True)
class _Kind:
    sentence: str
    read: Callable[[str], float | None]


def _concurrency(text: str) -> float | None:
    return int(text) if _WHOLE.fullmatch(text) and int(text) >= 1 else None


def _delay_ms(text: str) -> float | None:
    number = _number(text)
    return number if number is not None and number >= 0 else None


def _share(text: str) -> float | None:
    number = _number(text)
    return number if number is not None and 0 < number <= 1 else None


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


_KINDS = {
    "concurrency": _Kind("a whole number from 1 on", _concurrency),
    "delay-ms": _Kind("a number of milliseconds from 0 on", _delay_ms),
    "cpu": _Kind("a share of one core, more than 0 and at most 1", _share),
}
KINDS = tuple(_KINDS)


def parse_throttle(text: str) -> Throttle:
    """Read `TIER.KIND=VALUE`, as in `shop.delay-ms=20`; raises ValueError with a sentence that names what is valid."""
    parts = _FORM.fullmatch(text.strip())
    if parts is None:
        raise ValueError(f"throttle {text!r} is not TIER.KIND=VALUE, as in shop.delay-ms=20")
    tier, kind_name, value_text = parts["tier"], parts["kind"], parts["value"]
    if tier not in TIERS:
        raise ValueError(f"throttle {text!r}: there is no tier {tier!r}; the tiers are {', '.join(TIERS)}")
    kind = _KINDS.get(kind_name)
    if kind is None:
        raise ValueError(f"throttle {text!r}: there is no kind {kind_name!r}; the kinds are {', '.join(KINDS)}")
    value = kind.read(value_text)
    if value is None:
        raise ValueError(f"throttle {text!r}: {kind_name} must be {kind.sentence}, not {value_text!r}")
    return Throttle(tier, kind_name, value)
