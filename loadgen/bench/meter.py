"""What a given number of sessions cost the process that plays them; written to a file when the last one is over."""

import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from loadgen.bench.shares import Sampler

FILE_VARIABLE = "LONJAK_BENCH_METER"
COUNT_VARIABLE = "LONJAK_BENCH_SESSIONS"  # how many are played in all
TAPE_VARIABLE = "LONJAK_BENCH_TAPE"  # how many of them differ: their number starts again after that
SCENARIO_VARIABLE = "LONJAK_BENCH_SCENARIO"  # for who is no run of ours, and has no --scenario


@dataclass(frozen=True, slots=True)
class Cost:
    """Processor time from the first session's beginning to the last one's end; shares by group of modules, sum 1.

    request_count, failed_count: what Locust's own table says.
    """

    session_count: int
    request_count: int
    failed_count: int
    cpu_s: float
    seconds: float
    shares: dict[str, float]

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """What a meter wrote, None before it has."""
        return cls(**json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None


class Meter:
    """Counts sessions. `requests` says how many requests were made, and how many of them failed, when it is asked."""

    def __init__(self, path: Path, session_count: int, requests: Callable[[], tuple[int, int]]) -> None:
        self.session_count = session_count
        self._path = path
        self._requests = requests
        self._left_count = session_count
        self._began: tuple[float, float] | None = None
        self._sampler = Sampler()

    @classmethod
    def from_environment(cls, requests: Callable[[], tuple[int, int]]) -> Self:
        """The one that whoever started this process wants."""
        return cls(Path(os.environ[FILE_VARIABLE]), int(os.environ[COUNT_VARIABLE]), requests)

    def begin(self) -> None:
        """A session begins."""
        if self._began is None:
            self._sampler.start()
            self._began = time.process_time(), time.monotonic()

    def end(self) -> None:
        """A session is over."""
        self._left_count -= 1
        if self._left_count or self._began is None:
            return
        cpu_s, seconds = time.process_time() - self._began[0], time.monotonic() - self._began[1]
        cost = Cost(self.session_count, *self._requests(), cpu_s, seconds, self._sampler.stop())
        fresh = self._path.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(cost)), encoding="utf-8")
        fresh.replace(self._path)


def tape_length() -> int:
    """How many sessions differ."""
    return int(os.environ[TAPE_VARIABLE])


def own_target(target: str, session: int) -> str:
    """Where a session finds the shop: each has an address of its own, by which the tape knows it."""
    return f"http://{session_address(session)}:{urlsplit(target).port}"


def session_address(session: int) -> str:
    """The loopback address of session `session`, 0 to 62,499."""
    return f"127.1.{session // 250}.{session % 250 + 1}"
