"""Hand-made runs for laws, demands and bottlenecks: sessions that came and stayed, queues that stood.

Built on tests.recorded_run; what the recorder writes beside is written with its own writers.
"""

import gzip
from dataclasses import dataclass, field, replace
from pathlib import Path

from loadgen.histogram import Histogram
from loadgen.hlog import HlogWriter
from loadgen.records import QUEUES_COLUMNS, SESSIONS_COLUMNS, Json, RowWriter
from loadgen.rundir import RunDirectory
from tests.recorded_run import STARTED_AT, History, ordinary

STAY_S = 4.0


@dataclass
class Visits:
    """A run whose sessions are counted twice, as the recorder and as who lets them in and out had them."""

    history: History = field(default_factory=ordinary)
    arrived_count: int = 60
    stay_s: float = STAY_S
    # What the recorder lost of sessions, of all that it was told.
    uncounted_ratio: float = 0.0
    queues: list[dict[str, Json]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.history.manifest = replace(self.history.manifest)

    def look(self, second: int, tier: str, queue: str, **values: Json) -> None:
        """One look at a queue."""
        self.queues.append({"elapsed_s": second, "tier": tier, "queue": queue, **values})

    def write(self, root: Path) -> RunDirectory:
        """The run directory: every session there for `stay_s`, one more or less each second."""
        counted = round(self.arrived_count * (1 - self.uncounted_ratio))
        self.history.funnel = [
            {"elapsed_s": second, "segment": "web", "arrived_count": 1, "finished_count": 1}
            for second in range(60)
            for _ in range(counted * (second + 1) // 60 - counted * second // 60)
        ]
        run = self.history.write(root)
        self._write_stays(run, counted)
        per_s = self.arrived_count * self.stay_s / 60
        _rows(run.sessions, SESSIONS_COLUMNS, [{"elapsed_s": second, "present_s": per_s} for second in range(60)])
        if self.queues:
            _rows(run.queues, QUEUES_COLUMNS, self.queues)
        return run

    def _write_stays(self, run: RunDirectory, counted: int) -> None:
        log = HlogWriter(run.path / "stays.hlog", STARTED_AT)
        stays = Histogram()
        stays.record(round(self.stay_s * 1_000_000), counted)
        log.write(59, "stay/session/finished", stays)
        log.close()
        _append(run)


def _append(run: RunDirectory) -> None:
    """Put the stays behind the latencies: lines of an interval log stand for themselves."""
    packed = run.hlog.with_name(run.hlog.name + ".gz")
    stays = run.path / "stays.hlog.gz"
    lines = [line for line in gzip.decompress(stays.read_bytes()).decode().splitlines() if line.startswith("Tag=")]
    packed.write_bytes(gzip.compress(gzip.decompress(packed.read_bytes()) + ("\n".join(lines) + "\n").encode()))
    stays.unlink()


def _rows(path: Path, columns: tuple[str, ...], rows: list[dict[str, Json]]) -> None:
    writer = RowWriter(path, columns)
    for row in rows:
        writer.write(row)
    writer.close()
