"""The control file of a proxy: from outside, the way through it is made slower for a while, or cut.

A JSON document `{"delay_ms": number, "delay_until": epoch, "down_until": epoch}`; each of them may be missing.
"""

import asyncio
import json
import logging
import math
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reference_shop.throttles.proxy import Proxy

LOOK_EVERY_S = 0.05
_FIELDS = ("delay_ms", "delay_until", "down_until")
_log = logging.getLogger(__name__)
Pause = Callable[[float], Coroutine[Any, Any, object]]


@dataclass(frozen=True, slots=True)
class Orders:
    """What a control file asks for: another delay until an instant, no connection until another.

    Instants in seconds since the epoch.
    """

    delay_s: float | None = None
    delay_until: float = 0.0
    down_until: float = 0.0

    def delay_at(self, now: float, usual_s: float) -> float:
        """How long a burst is held back at an instant, in seconds."""
        return self.delay_s if self.delay_s is not None and now < self.delay_until else usual_s

    def is_down_at(self, now: float) -> bool:
        """Whether the way is cut at an instant."""
        return now < self.down_until


class Control:
    """Reads the orders from a file. A missing file orders nothing; one that makes no sense leaves the last orders."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._text = ""
        self._orders = Orders()

    def look(self) -> Orders:
        """What is ordered now."""
        try:
            text = self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            text = "{}"
        except (OSError, ValueError):
            return self._orders
        if text != self._text:
            self._text = text
            self._read(text)
        return self._orders

    def _read(self, text: str) -> None:
        try:
            self._orders = parse_orders(text)
        except ValueError as problem:  # somebody may be just about to write the rest of it
            _log.warning("the control file is passed over: %s", problem)


def parse_orders(text: str) -> Orders:
    """Read a control file's text; ValueError with a sentence when it is none."""
    values = json.loads(text)
    if not isinstance(values, dict):
        raise ValueError("it is no JSON object")
    if unknown := sorted(values.keys() - set(_FIELDS)):
        raise ValueError(f"{unknown[0]!r} is unknown: its fields are {', '.join(_FIELDS)}")
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
            raise ValueError(f"{name} is {value!r}: it must be a number from 0 on")
    delay_ms = values.get("delay_ms")
    return Orders(
        None if delay_ms is None else delay_ms / 1000,
        float(values.get("delay_until", 0.0)),
        float(values.get("down_until", 0.0)),
    )


async def follow(
    control: Control,
    proxy: Proxy,
    usual_s: float,
    *,
    clock: Callable[[], float] = time.time,
    pause: Pause = asyncio.sleep,
) -> None:
    """Have a proxy do what its control file says, for ever, looking at it every 50 ms."""
    while True:
        orders, now = control.look(), clock()
        proxy.delay_s = orders.delay_at(now, usual_s)
        if orders.is_down_at(now):
            proxy.cut()
        else:
            proxy.mend()
        await pause(LOOK_EVERY_S)
