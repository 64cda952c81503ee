"""What one worker recorded, second by second, on its way to the master: plain data, cheap to send with msgpack."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass, field
from typing import Any, Self

from loadgen.histogram import Histogram
from loadgen.hlog import Tag
from loadgen.records import Event, Json, LedgerLine

Sighting = tuple[int, float]  # how many pages of a product were seen, and when the oldest was made (epoch)


@dataclass(slots=True)
class Second:
    """Everything that one worker recorded in one second of the run.

    Funnel rows are keyed by second of arrival and segment, those of caches by page kind, cache and what it did, safety
    by check, sightings by product.
    """

    elapsed_s: int
    histograms: dict[Tag, Histogram] = field(default_factory=lambda: defaultdict(Histogram))
    counters: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    funnel: dict[tuple[int, str], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    caches: dict[tuple[str, str, str], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    safety: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    sightings: dict[int, Sighting] = field(default_factory=dict)
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
        for cache, counts in other.caches.items():
            self.caches[cache].update(counts)
        for check, counts in other.safety.items():
            self.safety[check].update(counts)
        self.see(other.sightings)
        self.ledger += other.ledger
        self.events += other.events

    def see(self, sightings: Mapping[int, Sighting]) -> None:
        """Add sightings of products: counts add up, and the oldest page stays."""
        for product_id, (count, oldest_at) in sightings.items():
            seen_count, seen_at = self.sightings.get(product_id, (0, oldest_at))
            self.sightings[product_id] = (seen_count + count, min(seen_at, oldest_at))


@dataclass(frozen=True, slots=True)
class WorkerLoad:
    """How a worker is doing at the end of a second; CPU as a share of one core.

    `spent_s` are the seconds that all its sessions together were in the shop, since the run began: a sum that only
    grows, so that a lost message loses nothing of it.
    """

    pid: int
    cpu_ratio: float
    memory_bytes: int
    sessions_in_progress: int
    spent_s: float = 0.0


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
        [[*key, dict(counts)] for key, counts in second.caches.items()],
        {check: dict(counts) for check, counts in second.safety.items()},
        [[product_id, *sighting] for product_id, sighting in second.sightings.items()],
    ]


def _second_from_wire(wire: list[Any]) -> Second:
    elapsed_s, histograms, counters, funnel, ledger, events, caches, safety, sightings = wire
    second = Second(elapsed_s)
    second.histograms.update({Tag.parse(tag): Histogram.from_counts(counts) for tag, counts in histograms.items()})
    second.counters.update({kind: Counter(counts) for kind, counts in counters.items()})
    second.funnel.update({(at, segment): Counter(counts) for at, segment, counts in funnel})
    second.ledger.extend(_ledger(ledger))
    second.events.extend(Event.from_json(line) for line in events)
    second.caches.update({(kind, cache, status): Counter(counts) for kind, cache, status, counts in caches})
    second.safety.update({check: Counter(counts) for check, counts in safety.items()})
    second.see({product_id: (count, oldest_at) for product_id, count, oldest_at in sightings})
    return second


def _ledger(lines: list[dict[str, Json]]) -> Iterator[LedgerLine]:
    return (LedgerLine.from_json(line) for line in lines)
