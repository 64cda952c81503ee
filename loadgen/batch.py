"""What one worker recorded, second by second, on its way to the master: plain data, cheap to send with msgpack."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass, field
from typing import Any, Self

from loadgen.histogram import Histogram
from loadgen.hlog import Tag
from loadgen.records import Event, Json, LedgerLine


@dataclass(slots=True)
class Second:
    """Everything that one worker recorded in one second of the run. Funnel rows are keyed by second of arrival."""

    elapsed_s: int
    histograms: dict[Tag, Histogram] = field(default_factory=lambda: defaultdict(Histogram))
    counters: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    funnel: dict[tuple[int, str], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    ledger: list[LedgerLine] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def merge(self, other: "Second") -> None:
        """Add what another worker recorded in the same second."""
        for tag, histogram in other.histograms.items():
            self.histograms[tag].merge(histogram)
        for kind, counts in other.counters.items():
            self.counters[kind].update(counts)
        for key, counts in other.funnel.items():
            self.funnel[key].update(counts)
        self.ledger += other.ledger
        self.events += other.events


@dataclass(frozen=True, slots=True)
class WorkerLoad:
    """How a worker is doing at the end of a second; CPU as a share of one core."""

    pid: int
    cpu_ratio: float
    memory_bytes: int
    sessions_in_progress: int


@dataclass(frozen=True, slots=True)
class Batch:
    """One message from a worker: seconds, or pieces of them, that add up.

    The last message of a second says up to where the worker has handed in everything, `until_s`, and how it is doing.
    """

    worker: str
    seconds: tuple[Second, ...]
    until_s: int = 0
    load: WorkerLoad | None = None

    def to_wire(self) -> dict[str, Any]:
        """As plain lists and dictionaries."""
        return {
            "worker": self.worker,
            "until_s": self.until_s,
            "load": list(astuple(self.load)) if self.load else None,
            "seconds": [_second_to_wire(second) for second in self.seconds],
        }

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> Self:
        """The batch that `to_wire` made."""
        load = WorkerLoad(*wire["load"]) if wire["load"] else None
        return cls(wire["worker"], tuple(map(_second_from_wire, wire["seconds"])), wire["until_s"], load)


def _second_to_wire(second: Second) -> list[Any]:
    return [
        second.elapsed_s,
        {str(tag): histogram.counts for tag, histogram in second.histograms.items()},
        {kind: dict(counts) for kind, counts in second.counters.items()},
        [[at, segment, dict(counts)] for (at, segment), counts in second.funnel.items()],
        [line.as_json() for line in second.ledger],
        [event.as_json() for event in second.events],
    ]


def _second_from_wire(wire: list[Any]) -> Second:
    elapsed_s, histograms, counters, funnel, ledger, events = wire
    second = Second(elapsed_s)
    second.histograms.update({Tag.parse(tag): Histogram.from_counts(counts) for tag, counts in histograms.items()})
    second.counters.update({kind: Counter(counts) for kind, counts in counters.items()})
    second.funnel.update({(at, segment): Counter(counts) for at, segment, counts in funnel})
    second.ledger.extend(_ledger(ledger))
    second.events.extend(Event.from_json(line) for line in events)
    return second


def _ledger(lines: list[dict[str, Json]]) -> Iterator[LedgerLine]:
    return (LedgerLine.from_json(line) for line in lines)
