"""What a program's metrics are made of: prometheus_client's counters, gauges and histograms, told as one page.

The workers of a shop answer on one socket, so one answer must speak for all. With PROMETHEUS_MULTIPROC_DIR in the
environment (from the start: prometheus_client decides when it is imported) every process keeps its numbers in files of
that folder, and whoever is asked adds up everybody's. Without it a process tells its own.

Nothing is opened before `Figures.open`: the files belong to the user that the process has become by then.
"""

import asyncio
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from time import perf_counter
from typing import Generic, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SAMPLING_PERIOD_S = 0.5

Labels = tuple[str, ...]
Kind = TypeVar("Kind", bound=MetricWrapperBase)


class _Children(dict[Labels, Kind]):
    """A metric's children by the values of its labels: found by a look-up, made at the first."""

    def __init__(self, make: Callable[[], Kind]) -> None:
        super().__init__()
        self._make = make
        self._parent: Kind | None = None

    def __missing__(self, labels: Labels) -> Kind:
        if self._parent is None:
            self._parent = self._make()
        child = self[labels] = self._parent.labels(*labels) if labels else self._parent
        return child


class _Instrument(Generic[Kind]):
    """A metric; `known` are labels under which it is told, as nought, before anything has happened."""

    def __init__(self, make: Callable[[], Kind], known: Iterable[Labels]) -> None:
        self._children = _Children(make)
        self._known = tuple(known)

    def open(self) -> None:
        """Make the children that are known beforehand."""
        for labels in self._known:
            self._children[labels]


class _Follower(_Instrument[Kind], ABC):
    """A metric that can take over, at every sampling, what somebody keeps count of who shall not know of metrics."""

    def __init__(self, make: Callable[[], Kind], known: Iterable[Labels]) -> None:
        super().__init__(make, known)
        self._sources: dict[Labels, Callable[[], float]] = {}

    def follow(self, read: Callable[[], float], *labels: str) -> None:
        """Take over from now on what `read` returns."""
        self._sources[labels] = read

    def sample(self) -> None:
        """Take over what is followed, as it stands now."""
        for labels, read in self._sources.items():
            self._take_over(labels, read())

    @abstractmethod
    def _take_over(self, labels: Labels, value: float) -> None: ...


class Counted(_Follower[Counter]):
    """Counts what happened; what it follows must never fall."""

    def __init__(self, make: Callable[[], Counter], known: Iterable[Labels]) -> None:
        super().__init__(make, known)
        self._taken: dict[Labels, float] = {}

    def add(self, *labels: str, amount: float = 1) -> None:
        """Count one, or `amount`."""
        self._children[labels].inc(amount)

    def follow(self, read: Callable[[], float], *labels: str) -> None:
        """Add from now on what `read` returns, and what that grows by."""
        super().follow(read, *labels)
        self._taken[labels] = 0

    def _take_over(self, labels: Labels, value: float) -> None:
        self._children[labels].inc(value - self._taken[labels])
        self._taken[labels] = value


class Level(_Follower[Gauge]):
    """Rises and falls; several processes' levels are added up, those of the living."""

    def set(self, value: float, *labels: str) -> None:
        """Be at `value`."""
        self._children[labels].set(value)

    def rise(self, *labels: str) -> None:
        """Go up by one."""
        self._children[labels].inc()

    def fall(self, *labels: str) -> None:
        """Go down by one."""
        self._children[labels].dec()

    def _take_over(self, labels: Labels, value: float) -> None:
        self.set(value, *labels)


class Timed(_Instrument[Histogram]):
    """Counts durations, in seconds, by how long they were."""

    def observe(self, duration_s: float, *labels: str) -> None:
        """Count one duration."""
        self._children[labels].observe(duration_s)

    def time(self, *labels: str) -> "Stopwatch":
        """Return a context manager that counts how long its block takes, also if that fails."""
        return Stopwatch(self, labels)


class Stopwatch:
    """Measures one block."""

    __slots__ = ("_labels", "_started_at", "_timed")

    def __init__(self, timed: Timed, labels: Labels) -> None:
        """Report to `timed`."""
        self._timed = timed
        self._labels = labels

    def __enter__(self) -> None:
        """Start."""
        self._started_at = perf_counter()

    def __exit__(self, *_: object) -> None:
        """Stop, and report."""
        self._timed.observe(perf_counter() - self._started_at, *self._labels)


class Figures:
    """The metrics of one program; all their names begin with its prefix."""

    def __init__(self, prefix: str) -> None:
        """Have no metrics yet."""
        self._prefix = f"{prefix}_"
        self._registry = CollectorRegistry()
        self._instruments: list[Counted | Level | Timed] = []
        self._followers: list[Counted | Level] = []

    def counted(self, name: str, text: str, *label_names: str, known: Iterable[str] = ()) -> Counted:
        """Add a counter; `known` are values of its only label. Its name is told with `_total`."""

        def make() -> Counter:
            return Counter(self._prefix + name, text, label_names, registry=self._registry)

        counted = Counted(make, _known(label_names, known))
        self._instruments.append(counted)
        self._followers.append(counted)
        return counted

    def level(self, name: str, text: str, *label_names: str, known: Iterable[str] = ()) -> Level:
        """Add a gauge."""

        def make() -> Gauge:
            full_name = self._prefix + name
            return Gauge(full_name, text, label_names, registry=self._registry, multiprocess_mode="livesum")

        level = Level(make, _known(label_names, known))
        self._instruments.append(level)
        self._followers.append(level)
        return level

    def timed(
        self, name: str, text: str, *label_names: str, bounds_s: Sequence[float], known: Iterable[str] = ()
    ) -> Timed:
        """Add a histogram whose classes end at `bounds_s`."""

        def make() -> Histogram:
            return Histogram(self._prefix + name, text, label_names, registry=self._registry, buckets=bounds_s)

        timed = Timed(make, _known(label_names, known))
        self._instruments.append(timed)
        return timed

    def open(self) -> None:
        """Begin to count; raises OSError where the folder does not let this process write."""
        disable_created_metrics()  # type: ignore[no-untyped-call]
        if (folder := _folder()) is not None:
            _forget(folder, os.getpid())  # of an earlier process that had this number
        for instrument in self._instruments:
            instrument.open()

    def sample(self) -> None:
        """Have every metric take over what it follows."""
        for follower in self._followers:
            follower.sample()

    async def keep_sampling(self) -> None:
        """Sample for ever: another process may be asked at any time."""
        while True:
            self.sample()
            await asyncio.sleep(_SAMPLING_PERIOD_S)

    async def text(self) -> bytes:
        """Return everybody's numbers in the text format of Prometheus (version 0.0.4).

        Made in a thread: with several workers it takes 10 ms and more, for which nobody else shall wait.
        """
        self.sample()
        folder = _folder()
        return await asyncio.to_thread(
            generate_latest, self._registry if folder is None else _Everybody(folder, self._prefix)
        )


class _Everybody(Collector):
    """All that the processes of the folder counted, the dead ones too; but levels are only those of the living."""

    def __init__(self, folder: Path, prefix: str) -> None:
        self._folder = folder
        self._prefix = prefix

    def collect(self) -> Iterable[Metric]:
        for file in self._folder.glob("gauge_live*.db"):
            pid = int(file.stem.rpartition("_")[2])
            if not Path(f"/proc/{pid}").exists():
                _forget(self._folder, pid)
        collector = MultiProcessCollector(None, str(self._folder))  # type: ignore[no-untyped-call]
        metrics: Iterable[Metric] = collector.collect()  # type: ignore[no-untyped-call]
        ours = (metric for metric in metrics if metric.name.startswith(self._prefix))
        return sorted(ours, key=lambda metric: metric.name)


def _forget(folder: Path, pid: int) -> None:
    """Remove a dead process's levels; what it counted stays."""
    with suppress(FileNotFoundError):  # a sibling that was asked at the same time did it
        mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]


def _folder() -> Path | None:
    path = os.environ.get(FOLDER_VARIABLE)
    return Path(path) if path else None


def _known(label_names: Sequence[str], values: Iterable[str]) -> list[Labels]:
    return [(value,) for value in values] if label_names else [()]
