"""On what a process spends its processor time: samples of where it is, taken by its own processor clock.

A signal comes after every two milliseconds of processor time; whoever's code is innermost then, the standard library's
not counted, is charged. Unlike a profiler it costs nothing in between, and greenlets do not confuse it.
"""

import signal
from collections import Counter
from collections.abc import Mapping
from pathlib import PurePath
from types import FrameType

EVERY_S = 0.002
CLIENT = "client"
PAGES = "pages"  # parsing, checks, journeys
RECORDING = "recording"
ENGINE = "engine"
OTHER = "other"
GROUPS = (CLIENT, PAGES, RECORDING, ENGINE, OTHER)
RECORDING_MODULES = frozenset(
    [
        "batch",
        "cache_headers",
        "cells",
        "failures",
        "histogram",
        "hlog",
        "listeners",
        "merger",
        "page_kinds",
        "recorder",
        "records",
        "sampler",
        "tally",
        "watch",
    ]
)
_PACKAGES: Mapping[str, str] = {"scenarios": PAGES, "geventhttpclient": CLIENT, "locust": ENGINE, "gevent": ENGINE}
_LOCUST_MODULES: Mapping[str, str] = {"fasthttp": CLIENT, "fast_client": CLIENT, "stats": RECORDING, "event": RECORDING}


def group_of(filename: str) -> str | None:
    """Whose code a file is; None when that is for its caller to say."""
    path = PurePath(filename)
    packages, module = path.parts[:-1], path.stem
    if packages[-2:] == ("loadgen", "http"):
        return CLIENT
    for package in reversed(packages):
        if package == "loadgen":
            return RECORDING if module in RECORDING_MODULES else ENGINE
        if package in _PACKAGES:
            return _LOCUST_MODULES.get(module, _PACKAGES[package])
    return None


class Sampler:
    """Charges this process's main thread from `start` to `stop`."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def start(self) -> None:
        """Begin to look."""
        signal.signal(signal.SIGPROF, self._look)
        signal.setitimer(signal.ITIMER_PROF, EVERY_S, EVERY_S)

    def stop(self) -> dict[str, float]:
        """End it; the share of each group, the largest first; they add up to 1."""
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        total = max(1, self._counts.total())
        return {group: count / total for group, count in self._counts.most_common()}

    def _look(self, _number: int, frame: FrameType | None) -> None:
        while frame is not None:
            if (group := group_of(frame.f_code.co_filename)) is not None:
                self._counts[group] += 1
                return
            frame = frame.f_back
        self._counts[OTHER] += 1
