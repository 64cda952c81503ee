"""Following a run from outside while it is being recorded: how far it is, and its latest rates."""

import time
from collections import Counter

from loadgen.config import Load
from loadgen.records import COUNTERS_COLUMNS
from loadgen.rundir import RunDirectory
from lonjak.new_lines import NewLines
from lonjak.progress import Progress

_REQUESTS, _FAILED = COUNTERS_COLUMNS.index("request_count"), COUNTERS_COLUMNS.index("failed_count")


class RunWatch:
    """Reads what counters.csv gained since the last look; cheap enough for five looks a second."""

    def __init__(self, run: RunDirectory, load: Load, progress: Progress, title: str) -> None:
        self._lines = NewLines(run.counters)
        self._progress = progress
        self._requests: Counter[int] = Counter()
        self._failed_count = 0
        self._first_at: float | None = None
        self._planned_s = load.duration_s + load.drain_s
        progress.start(title, total=self._planned_s, unit=" s")

    def look(self) -> None:
        """Take in what is new, and show it."""
        self._read()
        if not self._requests:
            return
        self._first_at = self._first_at or time.monotonic()
        latest = max(self._requests) - 1  # the newest second may still be growing
        note = f"{self._requests[latest]} requests/s, {self._failed_count} failed"
        self._progress.advance(min(time.monotonic() - self._first_at, self._planned_s), note)

    def _read(self) -> None:
        for line in self._lines.read():
            fields = line.split(",")
            if fields[0].isdigit() and len(fields) == len(COUNTERS_COLUMNS):
                self._requests[int(fields[0])] += int(fields[_REQUESTS])
                self._failed_count += int(fields[_FAILED])
