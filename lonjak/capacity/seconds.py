"""A running run's files as the seconds that a search observes, told a little late.

latency.hlog, counters.csv, funnel.csv, tiers.csv and events.jsonl are read as they grow. The recorder counts a request
in the second in which it ended; its response time tells in which it began, to within a second. A second is told as soon
as all that began in it and may still be good has ended. Whatever ends later has broken every limit, and counts, as bad
as it is, in the second that is told next, so that a shop that stands still does not look like one that nobody asked.
"""

import csv
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import ceil

from analysis.validity import CPU_LIMIT_RATIO, is_worker, late_seconds, too_many_dropped
from loadgen.histogram import Histogram, value_at
from loadgen.hlog import HlogLine, parse_line
from loadgen.records import COUNTERS_COLUMNS, FUNNEL_COLUMNS, PROBE, TIERS_COLUMNS, Event, Json, strict_json
from loadgen.rundir import RunDirectory
from lonjak.capacity.criteria import RATIO_COLUMNS, Criteria, SharedBy
from lonjak.capacity.observation import Second
from lonjak.new_lines import NewLines

_READ = ("response_time", "service_time", "schedule_lag", "loop_lag")
_FROM_ARRIVAL = ("response_time", "service_time")


@dataclass(frozen=True, slots=True)
class Observed:
    """A second as a search wants it, and the ok response times of shoppers' requests that began in it."""

    second: Second
    response_times: Histogram


@dataclass(frozen=True, slots=True)
class RateChange:
    """The run obeyed a wish for another rate at an instant (seconds since the epoch)."""

    at: float
    rate_per_s: float


@dataclass(slots=True)
class _Gathered:
    """What the files have said of one second so far; shares by name."""

    shares: dict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    response_times: Histogram = field(default_factory=Histogram)
    columns: Counter[str] = field(default_factory=Counter)
    arrived_count: int = 0
    dropped_count: int = 0
    ok_count: int = 0


class RunningSeconds:
    """Follows one run's files; `new` gives every second once, in order, when it is complete."""

    def __init__(self, run: RunDirectory, criteria: Criteria) -> None:
        self._criteria = criteria
        self._late_s = max(1, ceil(criteria.slowest_limit_s))
        self._hlog, self._counters = NewLines(run.hlog), NewLines(run.counters)
        self._funnel, self._tiers, self._events = NewLines(run.funnel), NewLines(run.tiers), NewLines(run.events)
        self._gathered: dict[int, _Gathered] = defaultdict(_Gathered)
        self._bound: set[int] = set()
        self._absent: set[str] = set()  # workers that are lost
        self._stays_s: Counter[int] = Counter()  # how long sessions were there that have ended
        self.rates: list[RateChange] = []  # in order
        self._known_s = -1  # the newest second of which a line was read: those before it are written whole
        self._next_s = 0
        self._forgotten_s = 0  # what began before it is none of anybody's

    def new(self) -> Iterator[Observed]:
        """The seconds that have become complete since the last call."""
        self._read()
        while self._next_s + self._late_s < self._known_s:
            told_s, self._next_s = self._next_s, self._next_s + 1
            yield self._told(told_s, self._gathered.pop(told_s, _Gathered()))

    def forget_before(self, elapsed_s: int) -> None:
        """Tell nothing of the seconds before, and drop requests that began in them: they are another rate's."""
        self._forgotten_s, self._next_s = elapsed_s, max(self._next_s, elapsed_s)
        for second in [second for second in self._gathered if second < self._next_s]:
            del self._gathered[second]

    @property
    def next_s(self) -> int:
        """The second that is told next."""
        return self._next_s

    def usual_stay_s(self, ratio: float) -> int:
        """How many seconds this share of the sessions that have ended stayed at most; 0 when none has."""
        passed, wanted = 0, ratio * self._stays_s.total()
        for stay_s, count in sorted(self._stays_s.items()):
            passed += count
            if passed >= wanted:
                return stay_s
        return 0

    def _told(self, elapsed_s: int, of: _Gathered) -> Observed:
        shares = {each.share.name: of.shares[each.share.name] for each in self._criteria.shares}
        second = Second(
            elapsed_s=elapsed_s,
            offered_per_s=float(of.arrived_count + of.dropped_count),
            generator_bound=self._is_bound(elapsed_s, of),
            shares={name: (bad, total) for name, (bad, total) in shares.items()},
            levels=self._levels(of),
            goodput_per_s=float(of.ok_count),
            response_time_s=_mean_s(of.response_times),
        )
        return Observed(second, of.response_times)

    def _is_bound(self, elapsed_s: int, of: _Gathered) -> bool:
        return elapsed_s in self._bound or bool(self._absent) or too_many_dropped(of.dropped_count, of.arrived_count)

    def _levels(self, of: _Gathered) -> Mapping[str, float]:
        quotients = {}
        for leveled in self._criteria.levels:
            part, whole = leveled.columns
            if of.columns[whole]:
                quotients[leveled.level.name] = of.columns[part] / of.columns[whole]
        return quotients

    def _read(self) -> None:
        self._read_events()
        for row in _rows(self._tiers, TIERS_COLUMNS):
            if is_worker(row) and float(row["cpu_ratio"]) > CPU_LIMIT_RATIO:
                self._bound.add(int(row["elapsed_s"]))
        by_second: dict[int, list[HlogLine]] = defaultdict(list)
        for line in self._hlog.read():
            if line.startswith(tuple(f"Tag={measure}/" for measure in _READ)):
                interval = parse_line(line)
                by_second[interval.elapsed_s].append(interval)
        for second, lines in by_second.items():
            self._known_s = max(self._known_s, second)
            self._bound.update(max(invalid, self._next_s) for invalid, _ in late_seconds(second, lines))
            for interval in lines:
                if interval.tag.measure in _FROM_ARRIVAL:
                    self._add_requests(interval)
        self._read_counters()
        self._read_funnel()

    def _add_requests(self, line: HlogLine) -> None:
        measure, page_kind, ok = line.tag.measure, line.tag.page_kind, line.tag.result == "ok"
        concerned = [of for of in self._criteria.shares if of.concerns(page_kind) and _counts(of, measure, ok=ok)]
        counted = measure == "response_time" and ok and page_kind != PROBE
        if counted:
            self._at(line.elapsed_s).ok_count += line.histogram.count
        if not concerned and not counted:
            return
        for began_s, began in _by_beginning(line).items():
            if began_s < self._forgotten_s:
                continue
            gathered = self._at(began_s)
            for of in concerned:
                share = gathered.shares[of.share.name]
                share[0] += (0 if ok else began.count) if of.measure == "failed" else of.bad_count(began)
                share[1] += began.count
            if counted:
                gathered.response_times.merge(began)

    def _read_counters(self) -> None:
        columns = {column for pair in RATIO_COLUMNS.values() for column in pair}
        for row in _rows(self._counters, COUNTERS_COLUMNS):
            if row["page_kind"] != PROBE:
                self._at(int(row["elapsed_s"])).columns.update({name: int(row[name]) for name in columns})

    def _read_funnel(self) -> None:
        """Arrivals count in their own second; how sessions ended in the one in which they did, the newest one known."""
        abandoned = [of.share.name for of in self._criteria.shares if of.measure == "abandoned"]
        for row in _rows(self._funnel, FUNNEL_COLUMNS):
            arrival = self._at(int(row["elapsed_s"]))
            arrival.arrived_count += int(row["arrived_count"])
            arrival.dropped_count += int(row["dropped_count"])
            bad, ended = int(row["abandoned_count"]), int(row["abandoned_count"]) + int(row["finished_count"])
            if ended:
                self._stays_s[max(0, self._known_s - int(row["elapsed_s"]))] += ended
            for name in abandoned if ended else ():
                share = self._at(self._known_s).shares[name]
                share[0] += bad
                share[1] += ended

    def _read_events(self) -> None:
        for event in _events(self._events):
            worker = str(event.detail.get("worker"))
            if event.kind == "worker_lost":
                self._absent.add(worker)
            elif event.kind == "worker_returned":
                self._absent.discard(worker)
            elif event.kind == "control" and isinstance(rate := event.detail.get("set_rate"), int | float):
                self.rates.append(RateChange(event.at, float(rate)))

    def _at(self, elapsed_s: int) -> _Gathered:
        """What is known of a second; of one that was told already, the next one's."""
        return self._gathered[max(elapsed_s, self._next_s)]


def _mean_s(times: Histogram) -> float:
    """The mean of latencies in seconds, 0 where there are none."""
    total_us = sum(value_at(index) * count for index, count in times.counts.items())
    return total_us / times.count / 1e6 if times.counts else 0.0


def _counts(of: SharedBy, measure: str, *, ok: bool) -> bool:
    """Whether requests of a latency's tag count for a share: percentiles are those of ok requests."""
    return measure == "response_time" if of.measure == "failed" else ok and of.measure == measure


def _by_beginning(line: HlogLine) -> Mapping[int, Histogram]:
    """Requests by the second in which they began, if they ended in the middle of the line's."""
    began: dict[int, Histogram] = defaultdict(Histogram)
    for index, count in line.histogram.counts.items():
        second = max(0, int(line.elapsed_s + 0.5 - value_at(index) / 1e6))
        counts = began[second].counts
        counts[index] = counts.get(index, 0) + count
    return began


def _rows(lines: NewLines, columns: tuple[str, ...]) -> Iterator[Mapping[str, str]]:
    """New rows of a CSV file by column; its head, and what is none of its rows, are passed over."""
    for values in csv.reader(lines.read()):
        if values[0].isdigit() and len(values) == len(columns):
            yield dict(zip(columns, values, strict=True))


def _events(lines: NewLines) -> Iterator[Event]:
    for text in lines.read():
        line: object = strict_json(text)
        if isinstance(line, dict):
            yield _event(line)


def _event(line: Mapping[str, Json]) -> Event:
    return Event.from_json(line)
