"""The master's end of recording: workers' batches in, the files of the run directory out, within about two seconds.

A second is written once every live worker has handed it in, or two seconds after it has passed; what comes later is
appended, since rows and intervals of the same key add up. Everything written is handed to the operating system at once,
so that a killed process loses no more than the last two seconds.

A disk may be full. The first write that fails is told once; from then on counts are dropped, so that a file is torn at
its end at most, and only events are still tried: they say why the run stops.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TextIO

from loadgen.batch import Batch, Second, WorkerLoad
from loadgen.hlog import HlogWriter, Tag
from loadgen.page_kinds import PageKinds
from loadgen.queues import QueueSample
from loadgen.records import (
    CACHES_COLUMNS,
    COUNTERS_COLUMNS,
    FUNNEL_COLUMNS,
    MOST_CACHES,
    QUEUES_COLUMNS,
    SAFETY_COLUMNS,
    SESSIONS_COLUMNS,
    SIGHTINGS_COLUMNS,
    STAY,
    TIERS_COLUMNS,
    Event,
    RowWriter,
    append_line,
)
from loadgen.runclock import RunClock
from loadgen.rundir import RunDirectory
from loadgen.sampler import Sample
from loadgen.tally import Tally

WAIT_FOR_WORKERS_S = 2
_OF_NO_PAGE = frozenset(("schedule_lag", "loop_lag", STAY))  # measures whose tags name no page


class Merger:
    """Writes one run's files and keeps its running totals.

    `tally` holds the steady phase only: seconds from `steady_s[0]` up to, not including, `steady_s[1]`.
    `on_failure` hears of the first write that fails, `failure` keeps it, and no method raises it. Only the constructor
    raises OSError. `pause` is called between two lines that took work to write: in a lone process, shoppers go first.
    `held` tells who else keeps the sums of a second.
    """

    def __init__(
        self,
        run: RunDirectory,
        clock: RunClock,
        steady_s: tuple[float, float],
        on_failure: Callable[[OSError], None] = lambda _error: None,
        pause: Callable[[], None] = lambda: None,
        *,
        held: Callable[[int], Sequence[Tally]] = lambda _second: (),
    ) -> None:
        self.tally = Tally()
        self._held = held
        self.failure: OSError | None = None
        self._on_failure = on_failure
        self._pause = pause
        self._writing_count = 0  # greenlets that write a second, and may pause in the middle of it
        self._run = run
        self._clock = clock
        self._steady_s = steady_s
        self._kinds = PageKinds()
        self._cache_names = PageKinds(MOST_CACHES)
        self._pending: dict[int, Second] = {}
        self._written_until_s = 0
        self._until_s: dict[str, int] = {}
        self._loads: dict[str, WorkerLoad] = {}
        self._spent_s: dict[str, float] = {}
        self._hlog = HlogWriter(run.hlog, clock.started_at)
        self._counters = RowWriter(run.counters, COUNTERS_COLUMNS)
        self._funnel = RowWriter(run.funnel, FUNNEL_COLUMNS)
        self._tiers = RowWriter(run.tiers, TIERS_COLUMNS)
        self._caches = RowWriter(run.caches, CACHES_COLUMNS)
        self._sightings = RowWriter(run.sightings, SIGHTINGS_COLUMNS)
        self._safety = RowWriter(run.safety, SAFETY_COLUMNS)
        self._sessions = RowWriter(run.sessions, SESSIONS_COLUMNS)
        self._queues: RowWriter | None = None  # where there are none, there is no file
        self._events: TextIO = run.events.open("a", encoding="utf-8")
        self._ledger: TextIO = run.ledger.open("a", encoding="utf-8")

    @property
    def sessions_in_progress(self) -> int:
        """Sessions in progress on all workers, as they last said."""
        return sum(load.sessions_in_progress for load in self._loads.values())

    @property
    def workers(self) -> frozenset[str]:
        """The workers that are expected to hand in."""
        return frozenset(self._until_s)

    @property
    def complete_s(self) -> int:
        """The second up to which every worker has handed in."""
        return min(self._until_s.values(), default=0)

    @property
    def settled_s(self) -> int:
        """The second up to which everything is written, as far as it came in time; 0 while a second is half written."""
        return 0 if self._writing_count else self._written_until_s

    def expect(self, workers: Iterable[str]) -> None:
        """Wait for these workers before a second is written."""
        for worker in workers:
            self._until_s.setdefault(worker, 0)

    def lose(self, worker: str) -> int:
        """Wait for a worker no longer; the second up to which it handed in."""
        self._loads.pop(worker, None)
        return self._until_s.pop(worker, 0)

    def accept(self, batch: Batch) -> None:
        """Take in what a worker recorded."""
        if batch.worker in self._until_s:
            self._until_s[batch.worker] = max(batch.until_s, self._until_s[batch.worker])
            if batch.load:
                self._loads[batch.worker] = batch.load
        if batch.load:
            self._write_presence(batch.worker, max(0, batch.until_s - 1), batch.load)
        self.add(batch.seconds)
        self.write_due()

    def add(self, seconds: Iterable[Second]) -> None:
        """Take in counts of any seconds, past or to come."""
        for second in seconds if self.failure is None else ():
            if second.elapsed_s < self._written_until_s:
                with self._noting_failure():
                    self._write(second)
                    self._flush()
            elif second.elapsed_s in self._pending:
                self._pending[second.elapsed_s].merge(second)
            else:
                self._pending[second.elapsed_s] = second

    def event(self, event: Event) -> None:
        """Append to the run's history at once."""
        with self._noting_failure():
            append_line(self._events, event.as_json())
            self._events.flush()

    def samples(self, rows: Iterable[Sample]) -> None:
        """Append what processes used."""
        if self.failure is None:
            with self._noting_failure():
                for row in rows:
                    self._tiers.write(row.as_row())
                self._tiers.flush()

    def queues(self, rows: Iterable[QueueSample]) -> None:
        """Append who waited for what in the stack."""
        for row in rows if self.failure is None else ():
            with self._noting_failure():
                self._queues = self._queues or RowWriter(self._run.queues, QUEUES_COLUMNS)
                self._queues.write(row.as_row())
                self._queues.flush()

    def write_due(self) -> None:
        """Write the seconds that are complete, or waited for long enough."""
        self._write_until(max(self.complete_s, self._clock.second - WAIT_FOR_WORKERS_S))

    def write_all(self) -> None:
        """Write every second that was handed in."""
        self._write_until(max(self._pending, default=-1) + 1)

    def close(self) -> None:
        """Write everything and leave the files as they are to stay; those that fail, as far as they go."""
        self.write_all()
        while self._writing_count:
            self._pause()
        rows = (self._counters, self._funnel, self._tiers, self._caches, self._sightings, self._safety, self._sessions)
        queues = (self._queues,) if self._queues else ()
        for file in (*rows, *queues, self._events, self._ledger, self._hlog):
            with self._noting_failure():
                file.close()
        if self.failure is not None and self._run.hlog.exists():
            with suppress(OSError):  # packed in part only; the log itself is there
                self._run.hlog.with_name(self._run.hlog.name + ".gz").unlink()

    def fail(self, error: OSError) -> None:
        """A write into the run's directory failed, here or elsewhere."""
        if self.failure is None:
            self.failure = error
            self._on_failure(error)

    @contextmanager
    def _noting_failure(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.fail(error)

    def _write_presence(self, worker: str, elapsed_s: int, load: WorkerLoad) -> None:
        if self.failure is not None:
            return
        spent_s, self._spent_s[worker] = load.spent_s - self._spent_s.get(worker, 0.0), load.spent_s
        with self._noting_failure():
            row = {"present_count": load.sessions_in_progress, "present_s": round(spent_s, 6)}
            self._sessions.write({"elapsed_s": elapsed_s, **row})

    def _write_until(self, until_s: int) -> None:
        due = sorted(second for second in self._pending if second < until_s)
        if not due or self.failure is not None:
            self._written_until_s = max(self._written_until_s, until_s)
            return
        with self._noting_failure():
            self._written_until_s = max(self._written_until_s, until_s)
            for second in [self._pending.pop(second) for second in due]:
                self._write(second)
            self._flush()

    def _flush(self) -> None:
        rows = (self._counters, self._funnel, self._caches, self._sightings, self._safety, self._sessions)
        for file in (self._hlog, *rows, self._ledger):
            file.flush()

    def _write(self, second: Second) -> None:
        self._writing_count += 1
        try:
            self._write_second(second)
        finally:
            self._writing_count -= 1

    def _write_second(self, second: Second) -> None:
        tallies = self._tallies(second.elapsed_s)
        for tag, histogram in second.histograms.items():
            kept = tag if tag.measure in _OF_NO_PAGE else Tag(tag.measure, self._kinds.keep(tag.page_kind), tag.result)
            self._hlog.write(second.elapsed_s, str(kept), histogram)
            for tally in tallies:
                tally.add_histogram(kept, histogram)
            self._pause()
        for kind, counts in second.counters.items():
            kept_kind = self._kinds.keep(kind)
            self._counters.write({"elapsed_s": second.elapsed_s, "page_kind": kept_kind, **counts})
            for tally in tallies:
                tally.add_counters(kept_kind, counts)
        self._write_caches(second)
        self._write_sessions(second)
        for event in second.events:
            self.event(event)

    def _write_caches(self, second: Second) -> None:
        elapsed_s = second.elapsed_s
        for (kind, cache, status), counts in second.caches.items():
            names = {"page_kind": self._kinds.keep(kind), "cache": self._cache_names.keep(cache), "status": status}
            self._caches.write({"elapsed_s": elapsed_s, **names, **counts})
        for product_id, (count, oldest_at) in second.sightings.items():
            row = {"product_id": product_id, "request_count": count, "oldest_at": round(oldest_at, 3)}
            self._sightings.write({"elapsed_s": elapsed_s, **row})
        for check, counts in second.safety.items():
            self._safety.write({"elapsed_s": elapsed_s, "check": check, **counts})

    def _write_sessions(self, second: Second) -> None:
        for (arrival_s, segment), counts in second.funnel.items():
            self._funnel.write({"elapsed_s": arrival_s, "segment": segment, **counts})
            for tally in self._tallies(arrival_s):
                tally.add_funnel(counts)
        for line in second.ledger:
            append_line(self._ledger, line.as_json())
            for tally in self._tallies(line.at - self._clock.started_at):
                tally.add_ledger(line)

    def _tallies(self, elapsed_s: float) -> list[Tally]:
        """Where what happened at an instant is summed up."""
        start_s, end_s = self._steady_s
        return [*([self.tally] if start_s <= elapsed_s < end_s else []), *self._held(int(elapsed_s))]
