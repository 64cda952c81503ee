"""Sessions in the shop, as workers hand their sum in: it only grows, so that a lost message loses nothing of it."""

from pathlib import Path

from loadgen.batch import Batch, WorkerLoad
from loadgen.merger import Merger
from loadgen.records import SESSIONS_COLUMNS, read_rows
from loadgen.runclock import RunClock
from loadgen.rundir import RunDirectory


def load(sessions: int, spent_s: float) -> WorkerLoad:
    return WorkerLoad(7, 0.1, 1 << 20, sessions, spent_s)


def test_a_message_that_never_came_leaves_its_seconds_to_the_next(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    merger = Merger(run, RunClock(1000.0), (0.0, 10.0))
    merger.expect(["worker-1", "worker-2"])
    merger.accept(Batch("worker-1", (), 1, load(2, 1.5)))
    merger.accept(Batch("worker-2", (), 1, load(1, 0.25)))
    merger.accept(Batch("worker-1", (), 3, load(4, 6.5)))  # what told of second 1 was lost on its way
    merger.close()
    rows = [tuple(map(float, row.values())) for row in read_rows(run.sessions, SESSIONS_COLUMNS)]
    assert rows == [(0, 2, 1.5), (0, 1, 0.25), (2, 4, 5.0)]
