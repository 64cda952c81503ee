"""A run's files as the recorder writes them while the run goes on, one second after the other."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from loadgen.histogram import Histogram
from loadgen.hlog import HlogWriter
from loadgen.records import COUNTERS_COLUMNS, FUNNEL_COLUMNS, TIERS_COLUMNS, Event, Json, RowWriter
from loadgen.rundir import RunDirectory

STARTED_AT = 1000.0


class GrowingRun:
    """Appends to a run; nothing is seen before `flush`."""

    def __init__(self, path: Path) -> None:
        self.run = RunDirectory(path)
        self._hlog = HlogWriter(self.run.hlog, STARTED_AT)
        self._counters = RowWriter(self.run.counters, COUNTERS_COLUMNS)
        self._funnel = RowWriter(self.run.funnel, FUNNEL_COLUMNS)
        self._tiers = RowWriter(self.run.tiers, TIERS_COLUMNS)

    def requests(self, second: int, tag: str, times_ms: Sequence[float]) -> None:
        """Requests that ended in a second."""
        histogram = Histogram()
        for value in times_ms:
            histogram.record(round(value * 1000))
        self._hlog.write(second, tag, histogram)

    def beat(self, second: int, lag_ms: float = 1.0) -> None:
        """What a worker says of itself in every second, asked or not."""
        self.requests(second, "loop_lag/worker-1/ok", [lag_ms])

    def counted(self, second: int, kind: str, **counts: int) -> None:
        """A row of counters.csv."""
        self._counters.write({"elapsed_s": second, "page_kind": kind, **counts})

    def sessions(self, arrival_s: int, **counts: int) -> None:
        """A row of funnel.csv."""
        self._funnel.write({"elapsed_s": arrival_s, "segment": "web", **counts})

    def used(self, second: int, role: str, cpu_ratio: float) -> None:
        """A process of the generator in tiers.csv."""
        row: Mapping[str, Json] = {"elapsed_s": second, "tier": "generator", "role": role, "cpu_ratio": cpu_ratio}
        self._tiers.write(row)

    def event(self, at_s: float, kind: str, **detail: Json) -> None:
        """A line of the run's history, at once."""
        with self.run.events.open("a", encoding="utf-8") as file:
            file.write(json.dumps(Event(STARTED_AT + at_s, kind, detail).as_json()) + "\n")

    def flush(self) -> None:
        """Let everything be seen."""
        for file in (self._hlog, self._counters, self._funnel, self._tiers):
            file.flush()

    def close(self) -> None:
        """End the run: the latencies are packed."""
        for file in (self._hlog, self._counters, self._funnel, self._tiers):
            file.close()
