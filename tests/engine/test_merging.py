"""Four workers that share the samples of one give the same record of latencies, counters and funnel."""

import gzip
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgpack
import pytest
from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader

from loadgen.batch import Batch, WorkerLoad
from loadgen.histogram import HIGHEST_US, index_of
from loadgen.hlog import read_hlog
from loadgen.merger import Merger
from loadgen.recorder import Recorder
from loadgen.records import COUNTERS_COLUMNS, FUNNEL_COLUMNS, Event, read_lines, read_rows
from loadgen.runclock import RunClock
from loadgen.rundir import RunDirectory

STARTED_AT = 1_795_421_700.0
DURATION_S = 5
HOUR_MS = 3_600_000.0
LOAD = WorkerLoad(pid=7, cpu_ratio=0.25, memory_bytes=1 << 20, sessions_in_progress=3)


class Time:
    now_s = 0.0

    def clock(self) -> RunClock:
        return RunClock(STARTED_AT, now=lambda: STARTED_AT, monotonic=lambda: self.now_s)


@dataclass(frozen=True)
class Sample:
    """One request of a foreign client, and what a session did beside it."""

    at_s: float
    request: dict[str, Any]
    segment: str
    ending: str

    def tell(self, recorder: Recorder) -> None:
        recorder.on_request(**self.request)
        arrival_s = int(self.at_s)
        recorder.session_arrived(arrival_s, self.segment, round(self.at_s * 7919) % 30_000)
        recorder.session_reached(arrival_s, self.segment, "product")
        if self.ending == "dropped":
            recorder.session_dropped(arrival_s, self.segment)
        else:
            recorder.session_paid(arrival_s, self.segment, 0.25)
            recorder.session_ended(arrival_s, self.segment, self.ending)  # type: ignore[arg-type]


def samples(count: int) -> Iterator[Sample]:
    """The same each time: thirty names (so that a second comes in pieces), failures, caches, times of up to 2 h."""
    draw = random.Random(20261123)
    for number in range(count):
        failed = draw.random() < 0.1
        status = draw.choice([500, 404]) if failed else 200
        headers = {"cache-status": draw.choice(["edge; hit", "edge; fwd=miss"]), "cache-control": "public"}
        first_byte = timedelta(milliseconds=draw.expovariate(0.2))
        yield Sample(
            at_s=number * DURATION_S / count,
            request={
                "request_type": draw.choice(["GET", "POST"]),
                "name": f"page-{draw.randrange(30)}",
                "response_time": draw.choice([0.0, draw.expovariate(0.05), draw.lognormvariate(5, 2), 2 * HOUR_MS]),
                "response_length": draw.randrange(50_000),
                "exception": ValueError("no") if failed else None,
                "response": SimpleNamespace(status_code=status, headers=headers, elapsed=first_byte),
            },
            segment=draw.choice(["web", "phone"]),
            ending=draw.choice(["finished", "abandoned", "cut", "dropped"]),
        )


def travelled(batch: Batch) -> Batch:
    return Batch.from_wire(msgpack.loads(msgpack.dumps(batch.to_wire()), strict_map_key=False))


def record(folder: Path, told: Iterable[Sample], worker_count: int) -> RunDirectory:
    """Samples dealt out to workers, handed in every second, and merged into a run's files."""
    run, time = RunDirectory(folder), Time()
    folder.mkdir()
    recorders = {f"worker-{number}": Recorder(time.clock()) for number in range(1, worker_count + 1)}
    merger = Merger(run, time.clock(), (0, DURATION_S))
    merger.expect(recorders)

    def hand_in(before_s: int | None) -> None:
        for worker, recorder in recorders.items():
            for piece in recorder.take(before_s):
                merger.accept(travelled(Batch(worker, (piece,))))
            merger.accept(travelled(Batch(worker, (), before_s or DURATION_S + 1, LOAD)))

    for number, sample in enumerate(told):
        if int(sample.at_s) > int(time.now_s):
            time.now_s = sample.at_s
            hand_in(int(sample.at_s))
        time.now_s = sample.at_s
        sample.tell(list(recorders.values())[number % worker_count])
    hand_in(None)
    merger.close()
    return run


def latencies(run: RunDirectory) -> dict[tuple[int, str], dict[int, int]]:
    found: dict[tuple[int, str], Counter[int]] = {}
    for line in read_hlog(run.hlog):
        found.setdefault((line.elapsed_s, str(line.tag)), Counter()).update(line.histogram.counts)
    return {key: dict(counts) for key, counts in found.items()}


def table(path: Path, columns: tuple[str, ...]) -> dict[tuple[str, str], dict[str, float]]:
    found: dict[tuple[str, str], Counter[str]] = {}
    for row in read_rows(path, columns):
        key = (row[columns[0]], row[columns[1]])
        found.setdefault(key, Counter()).update({name: float(row[name]) for name in columns[2:]})  # type: ignore[misc]
    return {key: dict(sums) for key, sums in found.items()}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[int, RunDirectory]:
    folder = tmp_path_factory.mktemp("merged")
    return {count: record(folder / str(count), samples(4_000), count) for count in (1, 4)}


def test_the_log_is_the_same(runs: dict[int, RunDirectory]) -> None:
    alone = latencies(runs[1])
    assert latencies(runs[4]) == alone
    assert {second for second, _ in alone} == set(range(DURATION_S))


def test_counters_and_funnel_are_the_same(runs: dict[int, RunDirectory]) -> None:
    counters = table(runs[1].counters, COUNTERS_COLUMNS)
    assert table(runs[4].counters, COUNTERS_COLUMNS) == counters
    assert sum(row["request_count"] for row in counters.values()) == 4_000
    funnel = table(runs[1].funnel, FUNNEL_COLUMNS)
    assert table(runs[4].funnel, FUNNEL_COLUMNS) == funnel
    assert sum(row["arrived_count"] for row in funnel.values()) == 4_000


def test_the_log_is_what_hdrhistogram_itself_counts(runs: dict[int, RunDirectory]) -> None:
    own, path = HdrHistogram(1, HIGHEST_US, 3), runs[1].hlog
    for sample in samples(4_000):
        own.record_value(min(round(sample.request["response_time"] * 1000), HIGHEST_US))
    expected = {index: count for index in range(own.counts_len) if (count := own.get_count_at_index(index))}
    measured: Counter[int] = Counter()
    for line in read_hlog(path):
        if line.tag.measure == "service_time":
            measured.update(line.histogram.counts)
    assert dict(measured) == expected


def test_times_beyond_the_range_are_counted_at_its_ends_and_told_once(tmp_path: Path) -> None:
    sample = next(samples(1))
    times_ms = [HOUR_MS, HOUR_MS + 1, 50 * HOUR_MS, -0.2, -HOUR_MS, 12.5]
    told = [
        Sample(float(at_s), {**sample.request, "exception": None, "response_time": time_ms}, "web", "finished")
        for at_s in range(3)
        for time_ms in times_ms
    ]
    run = record(tmp_path / "run", told, 1)
    counts: Counter[int] = Counter()
    for line in read_hlog(run.hlog):
        if line.tag.measure == "service_time":
            counts.update(line.histogram.counts)
    assert counts == {index_of(HIGHEST_US): 9, 0: 6, index_of(12_500): 3}
    total = sum(line.histogram.count for line in read_hlog(run.hlog))
    plain = tmp_path / "plain.hlog"
    plain.write_text(unpacked(run))
    reader, read = HistogramLogReader(str(plain), HdrHistogram(1, HIGHEST_US, 3)), 0
    while interval := reader.get_next_interval_histogram():
        read += interval.get_total_count()
    reader.close()
    assert read == total  # the library's own reader finds every one of them
    warnings = [event.detail["message"] for event in map(Event.from_json, read_lines(run.events))]
    assert sorted(warnings) == ["times above 1 h were counted as that", "times below 0 were counted as 0"]


def unpacked(run: RunDirectory) -> str:

    return gzip.decompress(run.hlog.with_name("latency.hlog.gz").read_bytes()).decode("ascii")
