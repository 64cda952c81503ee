"""A run directory made by hand through the recorder's own writers: a history whose every figure is known beforehand.

The default history, all on one clock: 60 s; warm-up [0, 10), steady [10, 50), drain [50, 60). Every second has 20
requests of `product` at 20 ms, one shopper arrives, and every fourth of them pays. A test changes what it is about.

`edge_lab` puts two points of presence and a shield before the same shop, with leaks, and a point that is lost at 35 s.
"""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from loadgen.histogram import Histogram
from loadgen.hlog import HlogWriter
from loadgen.manifest import Manifest, Plan, WorkerEntry
from loadgen.records import (
    CACHES_COLUMNS,
    COUNTERS_COLUMNS,
    FUNNEL_COLUMNS,
    ORIGIN_COLUMNS,
    ORIGIN_KEYS_COLUMNS,
    SAFETY_COLUMNS,
    SIGHTINGS_COLUMNS,
    TIERS_COLUMNS,
    Event,
    Json,
    LedgerLine,
    RowWriter,
    append_line,
)
from loadgen.rundir import RunDirectory

STARTED_AT = 1_795_421_700.25
OBJECTIVES = """[objectives]
failed_ratio = "< 0.01"
response_time_ms.all.p95 = "< 300"
"""
MANIFEST = Manifest(
    scenario="evening",
    seed=7,
    target="http://127.0.0.1:8080",
    edge="nginx",
    plan=Plan("partly-open", 1.0, 50.0, 10.0, 10.0),
    started_at=STARTED_AT,
    command="lonjak run evening --seed 7",
    versions={"lonjak": "0.1.0"},
    host={"cpu_count": 2, "memory_bytes": 2**33},
    cpu_sets={"generator": (1,), "stack": (0,)},
    workers=(WorkerEntry("worker-1", 4711, 0.0),),
    ended_at=STARTED_AT + 60,
    complete=True,
)


@dataclass
class History:
    """What happened; lists and tables are there to be changed before `write`."""

    manifest: Manifest = MANIFEST
    objectives: str | None = OBJECTIVES
    # (second, page kind) -> milliseconds of its ok requests, and how many failed by class
    ok_ms: dict[tuple[int, str], list[float]] = field(default_factory=dict)
    failed: dict[tuple[int, str], dict[str, int]] = field(default_factory=dict)
    # (second, page kind) -> (cacheable, of which hits)
    cacheable: dict[tuple[int, str], tuple[int, int]] = field(default_factory=dict)
    funnel: list[dict[str, Json]] = field(default_factory=list)
    tiers: list[dict[str, Json]] = field(default_factory=list)
    origin: list[dict[str, Json]] = field(default_factory=list)
    origin_keys: list[dict[str, Json]] = field(default_factory=list)
    caches: list[dict[str, Json]] = field(default_factory=list)
    sightings: list[dict[str, Json]] = field(default_factory=list)
    safety: list[dict[str, Json]] = field(default_factory=list)
    # (second, tag) -> milliseconds: ages and times to the first byte
    tagged_ms: dict[tuple[int, str], list[float]] = field(default_factory=dict)
    loop_lag_ms: dict[int, float] = field(default_factory=dict)
    schedule_lag_ms: dict[int, float] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    ledger: list[LedgerLine] = field(default_factory=list)
    truth: list[dict[str, Json]] | None = None

    def event(self, at_s: float, kind: str, **detail: Json) -> None:
        """Something at an instant of the run."""
        self.events.append(Event(STARTED_AT + at_s, kind, detail))

    def order(self, number: int, *, at_s: float = 20.0, outcome: str = "ok", amount_idr: int = 150_000) -> None:
        """An order in the ledger; unknown ones carry no number."""
        known = number if outcome == "ok" else None
        line = LedgerLine(STARTED_AT + at_s, "place_order", outcome, number, f"key-{number}", known, amount_idr)
        self.ledger.append(line)

    def book(self, number: int, *, state: str = "paid", amount_idr: int = 150_000, charges: int = 1) -> None:
        """The same order in the shop's books, with its payments."""
        self.truth = self.truth or []
        key = f"key-{number}"
        self.truth.append(
            {"type": "order", "order_id": number, "idempotency_key": key, "state": state, "total_idr": amount_idr}
        )
        payment = {"type": "payment", "order_id": number, "idempotency_key": key, "amount_idr": amount_idr}
        self.truth += [{**payment, "state": "captured"} for _ in range(charges)]

    def outage(self, start_s: int, end_s: int) -> None:
        """From one second up to another every product page fails with 502."""
        for second in range(start_s, end_s):
            self.failed[second, "product"] = {"http_5xx": len(self.ok_ms.pop((second, "product"), []))}

    def said(self, second: int, cache: str, kind: str = "product", **counts: int) -> None:
        """What a cache said of requests, each of 1,000 bytes."""
        for status, count in counts.items():
            row = {"elapsed_s": second, "page_kind": kind, "cache": cache, "status": status}
            self.caches.append({**row, "request_count": count, "received_bytes": 1000 * count})

    def sighted(self, second: int, product_id: int, made_s: float, count: int = 1) -> None:
        """Pages of a product in a second, the oldest of them made at an instant of the run."""
        row = {"elapsed_s": second, "product_id": product_id, "request_count": count}
        self.sightings.append({**row, "oldest_at": STARTED_AT + made_s})

    def checked(self, second: int, check: str, count: int, alarms: int = 0) -> None:
        """How often a leak was looked for in a second, and found."""
        self.safety.append({"elapsed_s": second, "check": check, "checked_count": count, "alarm_count": alarms})

    def write(self, root: Path) -> RunDirectory:
        """The run directory of this history."""
        run = RunDirectory.create(root, self.manifest.scenario, datetime(2026, 11, 23, 8, 15, tzinfo=UTC))
        self.manifest.write(run.manifest)
        run.scenario.write_text(self.objectives or "")
        self._write_latencies(run)
        _write_rows(run.counters, COUNTERS_COLUMNS, self._counter_rows())
        _write_rows(run.funnel, FUNNEL_COLUMNS, self.funnel)
        _write_rows(run.tiers, TIERS_COLUMNS, self.tiers)
        _write_rows(run.origin, ORIGIN_COLUMNS, self.origin)
        _write_rows(run.origin_keys, ORIGIN_KEYS_COLUMNS, self.origin_keys)
        _write_rows(run.caches, CACHES_COLUMNS, self.caches)
        _write_rows(run.sightings, SIGHTINGS_COLUMNS, self.sightings)
        _write_rows(run.safety, SAFETY_COLUMNS, self.safety)
        _write_lines(run.events, [event.as_json() for event in self.events])
        _write_lines(run.ledger, [line.as_json() for line in self.ledger])
        if self.truth is not None:
            end = {"type": "end", "lines": len(self.truth), "at": STARTED_AT + 60}
            _write_lines(run.truth, [*self.truth, end])
        return run

    def _write_latencies(self, run: RunDirectory) -> None:
        log = HlogWriter(run.hlog, self.manifest.started_at)
        for (second, kind), values in sorted(self.ok_ms.items()):
            for measure in ("response_time", "service_time"):
                log.write(second, f"{measure}/{kind}/ok", _histogram(values))
        for (second, kind), classes in sorted(self.failed.items()):
            log.write(second, f"response_time/{kind}/failed", _histogram([3.0] * sum(classes.values())))
        for second, lag_ms in self.loop_lag_ms.items():
            log.write(second, "loop_lag/worker-1/ok", _histogram([lag_ms]))
        for second, lag_ms in self.schedule_lag_ms.items():
            log.write(second, "schedule_lag/session/ok", _histogram([lag_ms]))
        for (second, tag), values in self.tagged_ms.items():
            log.write(second, tag, _histogram(values))
        log.close()

    def _counter_rows(self) -> list[dict[str, Json]]:
        rows: defaultdict[tuple[int, str], dict[str, Json]] = defaultdict(dict)
        for key in {*self.ok_ms, *self.failed}:
            classes = self.failed.get(key, {})
            failed_count = sum(classes.values())
            count = len(self.ok_ms.get(key, ())) + failed_count
            cacheable, hits = self.cacheable.get(key, (0, 0))
            rows[key] = {
                "elapsed_s": key[0],
                "page_kind": key[1],
                "request_count": count,
                "failed_count": failed_count,
                **{f"failed_{name}_count": number for name, number in classes.items()},
                "cacheable_count": cacheable,
                "cacheable_bytes": 1000 * cacheable,
                "cacheable_hit_count": hits,
                "cacheable_hit_bytes": 1000 * hits,
                "cache_hit_count": hits,
                "cache_miss_count": cacheable - hits,
                "cache_none_count": count - cacheable,
            }
        return [rows[key] for key in sorted(rows)]


def ordinary() -> History:
    """The default history."""
    history = History(manifest=replace(MANIFEST))
    for second in range(60):
        history.ok_ms[second, "product"] = [20.0] * 20
        history.cacheable[second, "product"] = (20, 0 if second < 5 else 16)
        history.loop_lag_ms[second] = 2.0
        history.schedule_lag_ms[second] = 1.0
        history.tiers += [
            _process(second, "shop", "shop-1", 0.25),
            _process(second, "shop", "shop-2", 0.25),
            _process(second, "generator", "worker-1", 0.3),
        ]
        paid = second % 4 == 0
        history.funnel.append(
            {
                "elapsed_s": second,
                "segment": "web" if second % 2 else "phone",
                "arrived_count": 1,
                "product_count": 1,
                "cart_count": int(paid),
                "checkout_count": int(paid),
                "payment_count": int(paid),
                "paid_count": int(paid),
                "finished_count": 1,
                "paid_s_sum": 9.5 * paid,
            }
        )
        if paid:
            history.order(1000 + second, at_s=second + 0.5)
            history.book(1000 + second)
    history.origin = [_logged("edge", 1200), _logged("shop", 300)]
    return history


def foreign_to_every_log() -> History:
    """The ordinary evening at a shop that shows nobody its logs."""
    history = ordinary()
    history.origin.clear()
    return history


def edge_lab() -> History:
    """The same evening through two points of presence and a shield.

    Each second has 20 requests of `product`: from 5 s on the points answer 15, the shield 2, the shop 3; before that
    the shop answers all. 5 of `cart` go past every cache, 1 of `account` is answered by the edge, and the shop is asked
    twice more, behind what was given out stale. At 35 s one point is lost for 3 s, with 2 requests a second.
    """
    history = ordinary()
    history.manifest = replace(history.manifest, edge="two-tier", target="http://127.0.0.1:8080")
    history.origin.clear()
    for second in range(60):
        _edge_second(history, second, lost=2 if 35 <= second < 38 else 0)
        _second_of_checks(history, second)
    for kind, requests, bursts, largest in (("product", 180, 150, 6), ("category", 30, 30, 1)):
        row = {"tier": "shop", "page_kind": kind, "key": f"/{kind}/17"}
        counts = {"request_count": requests, "burst_count": bursts, "largest_burst_count": largest}
        history.origin_keys.append({**row, **counts})
    history.event(35.2, "fault_started", fault="edge-lost", role="edge-pop-2", for_s=3)
    history.event(38.2, "fault_ended", fault="edge-lost", role="edge-pop-2", for_s=3)
    for at_s in (20.4, 30.9):
        history.truth = history.truth or []
        history.truth.append({"type": "price", "entry_id": int(at_s), "at": STARTED_AT + at_s, "product_id": 17})
    _leaks(history)
    return history


def _edge_second(history: History, second: int, lost: int) -> None:
    """What shoppers, caches and shop counted in a second."""
    warm = second >= 5
    if lost:
        history.ok_ms[second, "product"] = [20.0] * (20 - lost)
        history.failed[second, "product"] = {"connect": lost}
    history.ok_ms[second, "cart"] = [30.0] * 5
    history.ok_ms[second, "account"] = [3.0]
    history.cacheable[second, "product"] = (20 - lost, 17 - lost if warm else 0)
    if warm:
        history.said(second, "lonjak-pop-1", hit=6, stale=1, collapsed=1, miss=2)
        history.said(second, "lonjak-pop-2", hit=6 - lost, stale=1, miss=1, expired=2)
        history.said(second, "lonjak-shield", hit=2, miss=2, revalidated=1)
    else:
        history.said(second, "lonjak-pop-1", miss=20)
        history.said(second, "lonjak-shield", miss=20)
    for cache in ("lonjak-pop-1", "lonjak-shield"):
        history.said(second, cache, "cart", bypass=5)
    history.said(second, "lonjak-pop-1", "account", local=1)
    logged = (("product", "client", 3 if warm else 20), ("cart", "client", 5), ("product", "background", 2))
    for kind, cause, count in (*logged, ("product", "purge", 1), ("ops", "none", 1)):
        history.origin.append(
            {"elapsed_s": second, "tier": "shop", "page_kind": kind, "cache_status": cause, "request_count": count}
        )
    for status, first_byte_ms, age_ms in (("hit", 2.0, 4000.0), ("stale", 2.0, 11_000.0), ("collapsed", 400.0, 100.0)):
        history.tagged_ms[second, f"ttfb/product/{status}"] = [first_byte_ms] * 5
        history.tagged_ms[second, f"age/product/{status}"] = [age_ms] * 5
    history.tagged_ms[second, "ttfb/product/miss"] = [25.0] * 3


def _second_of_checks(history: History, second: int) -> None:
    """What was searched for leaks, and how old product 17 was: its page lags 3 s behind a change."""
    history.checked(second, "visitor", 6, int(second in (22, 23)))
    history.checked(second, "set-cookie", 17)
    if second % 10 == 0:
        for check in ("deception", "poisoning", "method-override", "oversized-header"):
            history.checked(second, check, 1, int(check == "deception" and second >= 40))
    history.sighted(second, 17, second - 3.0, count=4)


def _leaks(history: History) -> None:
    shared = {"cache_status": "lonjak-shield; hit, lonjak-pop-1; fwd=uri-miss; stored", "cache_control": "max-age=60"}
    told = "the page carries the secret of visitor 3, and visitor 7 had asked for it"
    for at_s in (22.3, 23.1):
        leak = {"url": "/cart", "page_kind": "cart", "key": "127.0.0.1:8080/cart", "told": told, **shared}
        history.event(at_s, "leak", check="visitor", **leak)
    for at_s in (40.0, 50.0):
        leak = {"url": "/account/x.css", "page_kind": "account", "key": "127.0.0.1:8080/account/x.css", **shared}
        history.event(at_s, "leak", check="deception", told="somebody else's account was kept as a style sheet", **leak)


def _process(second: int, tier: str, role: str, cpu_ratio: float) -> dict[str, Json]:
    return {"elapsed_s": second, "tier": tier, "role": role, "pid": 1, "cpu_ratio": cpu_ratio, "memory_bytes": 2**26}


def _logged(tier: str, count: int) -> dict[str, Json]:
    row = {"elapsed_s": 20, "tier": tier, "page_kind": "product", "cache_status": "none"}
    return {**row, "request_count": count, "sent_bytes": 1000 * count}


def _histogram(values_ms: list[float]) -> Histogram:
    histogram = Histogram()
    for value in values_ms:
        histogram.record(round(value * 1000))
    return histogram


def _write_rows(path: Path, columns: tuple[str, ...], rows: list[dict[str, Json]]) -> None:
    writer = RowWriter(path, columns)
    for row in rows:
        writer.write(row)
    writer.close()


def _write_lines(path: Path, lines: list[Mapping[str, Json]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for line in lines:
            append_line(file, json.loads(json.dumps(line)))
