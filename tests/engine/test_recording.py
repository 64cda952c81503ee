"""From counts to files: what goes in must come out, second by second, also over the wire and from several workers."""

from collections import Counter
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgpack
import pytest

from loadgen.batch import Batch, Second, WorkerLoad
from loadgen.hlog import Tag, read_hlog
from loadgen.http.cookies import CookieJar
from loadgen.http.hosts import locate
from loadgen.http.request import Request, header_lines
from loadgen.http.response import BadStatus, ShopperResponse
from loadgen.merger import Merger
from loadgen.recorder import Recorder
from loadgen.records import (
    COUNTERS_COLUMNS,
    FUNNEL_COLUMNS,
    TIERS_COLUMNS,
    Event,
    LedgerLine,
    read_lines,
    read_rows,
)
from loadgen.runclock import RunClock
from loadgen.rundir import RunDirectory
from loadgen.sampler import Sample

STARTED_AT = 1000.0
LOAD = WorkerLoad(pid=7, cpu_ratio=0.25, memory_bytes=1 << 20, sessions_in_progress=3)


class Time:
    def __init__(self) -> None:
        self.now_s = 0.0

    def clock(self) -> RunClock:
        return RunClock(STARTED_AT, now=lambda: STARTED_AT, monotonic=lambda: self.now_s)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def recorder(time: Time) -> Recorder:
    return Recorder(time.clock())


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return RunDirectory(tmp_path)


def answer(status: int = 200, first_byte_ms: float = 4.0, **headers: str) -> SimpleNamespace:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return SimpleNamespace(status_code=status, headers=named, elapsed=timedelta(milliseconds=first_byte_ms))


def request(recorder: Recorder, name: str = "product", **sample: Any) -> None:
    values = {"request_type": "GET", "response_time": 12.5, "response_length": 900, "response": answer()}
    recorder.on_request(name=name, **{**values, **sample})


def sample(recorder: Recorder, name: str = "product", method: str = "GET", **values: Any) -> None:
    """A sample of our own client; times in microseconds."""
    host, path = locate("http://127.0.0.1/")
    asked = Request(method, host, path, header_lines({}, {}))
    response = ShopperResponse(asked, name, {}, CookieJar(), recorder.on_response)
    known = {"status_code": 200, "service_us": 12_500, "ttfb_us": 4_000, "body_bytes": 900}
    for key, value in {**known, **values}.items():
        setattr(response, key, value)
    response.report()


def only(recorder: Recorder) -> Second:
    [second] = recorder.take()
    return second


def values_us(second: Second, measure: str, result: str = "ok", kind: str = "product") -> list[int]:
    histogram = second.histograms[Tag(measure, kind, result)]
    return [histogram.percentile_us(percent) for percent in (1, 100)] if histogram.counts else []


def test_a_request_of_a_foreign_client_is_counted_and_timed(recorder: Recorder) -> None:
    request(recorder)
    second = only(recorder)
    assert second.counters["product"] == {"request_count": 1, "received_bytes": 900, "cache_none_count": 1}
    assert set(second.histograms) == {
        Tag("service_time", "product", "ok"),
        Tag("response_time", "product", "ok"),
        Tag("ttfb", "product", "none"),
    }
    assert values_us(second, "service_time")[0] == pytest.approx(12_500, rel=0.001)
    assert values_us(second, "ttfb", "none")[0] == pytest.approx(4_000, rel=0.001)


def test_response_time_counts_from_the_intended_instant(recorder: Recorder) -> None:
    sample(recorder, lag_us=200_000)
    second = only(recorder)
    assert values_us(second, "service_time")[0] == pytest.approx(12_500, rel=0.001)
    assert values_us(second, "response_time")[0] == pytest.approx(212_500, rel=0.001)
    assert second.counters["product"]["late_count"] == 1


def test_ten_milliseconds_is_not_late(recorder: Recorder) -> None:
    sample(recorder, lag_us=10_000)
    assert only(recorder).counters["product"]["late_count"] == 0


def test_our_own_samples_count_like_anybody_elses(time: Time) -> None:
    ours, foreign = Recorder(time.clock()), Recorder(time.clock())
    for status, exception in ((200, None), (200, None), (503, BadStatus("status 503"))):
        sample(ours, status_code=status, exception=exception, cache_control=b"public", cache_status=b"edge; hit")
        shown = answer(status, cache_control="public", cache_status="edge; hit")
        request(foreign, exception=exception, response=shown)
    [one], [other] = ours.take(), foreign.take()
    assert one.counters == other.counters
    assert {tag: found.counts for tag, found in one.histograms.items()} == {
        tag: found.counts for tag, found in other.histograms.items()
    }


def test_connecting_and_tls_are_timed_where_they_happened(recorder: Recorder) -> None:
    sample(recorder, connect_us=300, tls_us=1500)
    sample(recorder)
    second = only(recorder)
    assert [second.histograms[Tag(measure, "product", "ok")].count for measure in ("connect", "tls")] == [1, 1]


def test_a_time_beyond_the_range_is_counted_and_told_once(recorder: Recorder) -> None:
    for _ in range(2):
        sample(recorder, service_us=4_000_000_000)
    sample(recorder, lag_us=4_000_000_000)
    second = only(recorder)
    assert second.histograms[Tag("response_time", "product", "ok")].count == 3
    assert [event.detail["message"] for event in second.events] == ["times above 1 h were counted as that"]


@pytest.mark.parametrize(("time_ms", "timed"), [(float("nan"), 0), (float("inf"), 0), (None, 0), (-1.0, 1)])
def test_a_sample_whose_time_is_none_is_counted_all_the_same(
    recorder: Recorder, time_ms: float | None, timed: int
) -> None:
    request(recorder, response_time=time_ms)
    second = only(recorder)
    assert second.counters["product"]["request_count"] == 1
    assert sum(found.count for tag, found in second.histograms.items() if tag.measure == "service_time") == timed


def test_a_second_with_many_page_kinds_comes_in_pieces_that_add_up(recorder: Recorder) -> None:
    for number in range(90):
        for service_us in range(50):
            sample(recorder, name=f"page-{number}", service_us=service_us, ttfb_us=service_us)
    pieces = list(recorder.take())
    whole = Second(0)
    for piece in pieces:
        whole.merge(piece)
    assert len(pieces) > 3
    assert {kind: counts["request_count"] for kind, counts in whole.counters.items()} == {
        f"page-{number}": 50 for number in range(90)
    }


def test_a_failed_request_is_timed_apart(recorder: Recorder) -> None:
    request(recorder, exception=TimeoutError("late"), response=None, response_length=0)
    second = only(recorder)
    assert second.counters["product"]["failed_timeout_count"] == 1
    assert {tag.result for tag in second.histograms} == {"failed"}


def test_cache_hits_count_among_what_a_cache_may_keep(recorder: Recorder) -> None:
    shared = {"cache_control": "public, max-age=9", "cache_status": "edge; hit"}
    request(recorder, response=answer(**shared))
    request(recorder, response=answer(cache_control="public", cache_status="edge; fwd=miss"))
    request(recorder, response=answer(cache_control="private", cache_status="edge; fwd=bypass"))
    request(recorder, response=answer(set_cookie="a=b", **shared))
    request(recorder, request_type="POST", response=answer(**shared))
    request(recorder, response=answer(404, **shared))
    counts = only(recorder).counters["product"]
    assert (counts["cacheable_count"], counts["cacheable_hit_count"]) == (2, 1)
    assert (counts["cacheable_bytes"], counts["cacheable_hit_bytes"]) == (1800, 900)
    assert (counts["cache_hit_count"], counts["cache_miss_count"]) == (4, 2)


def test_compressed_bytes_count_as_they_came(recorder: Recorder) -> None:
    request(recorder, response=answer(content_encoding="gzip", content_length="311"))
    assert only(recorder).counters["product"]["received_bytes"] == 311


def test_the_hundred_and_first_name_is_other_with_one_warning(recorder: Recorder) -> None:
    for number in range(103):
        request(recorder, name=f"page-{number}")
    pieces = [*recorder.take(), *recorder.take()]
    assert sum(piece.counters["other"]["request_count"] for piece in pieces) == 3
    assert [event.kind for piece in pieces for event in piece.events] == ["warning"]


def test_each_second_is_handed_over_once(recorder: Recorder, time: Time) -> None:
    request(recorder)
    time.now_s = 1.999
    request(recorder)
    request(recorder)
    time.now_s = 2.0
    request(recorder)
    taken = recorder.take(before_s=2)
    assert [(one.elapsed_s, one.counters["product"]["request_count"]) for one in taken] == [(0, 1), (1, 2)]
    assert [one.elapsed_s for one in recorder.take()] == [2]
    assert list(recorder.take()) == []


def filled(recorder: Recorder) -> tuple[Second, ...]:
    request(recorder)
    recorder.session_arrived(0, "web", 20_000)
    recorder.session_reached(0, "web", "paid")
    recorder.session_paid(0, "web", 3.5)
    recorder.session_ended(0, "web", "finished")
    recorder.session_dropped(0, "phone")
    recorder.attempt(LedgerLine(1000.5, "place_order", "ok", 4, "key", 11, 25_000, ((3, 2),), None))
    recorder.loop_lag("worker-1", 1500)
    recorder.event("warning", message="look")
    return tuple(recorder.take())


def test_a_batch_survives_the_wire(recorder: Recorder) -> None:
    batch = Batch("worker-1", filled(recorder), 1, LOAD)
    received = Batch.from_wire(msgpack.loads(msgpack.dumps(batch.to_wire()), strict_map_key=False))
    assert (received.worker, received.until_s, received.load) == ("worker-1", 1, LOAD)
    [sent], [got] = batch.seconds, received.seconds
    assert {tag: histogram.counts for tag, histogram in got.histograms.items()} == {
        tag: histogram.counts for tag, histogram in sent.histograms.items()
    }
    assert (got.counters, got.funnel, got.ledger, got.events) == (sent.counters, sent.funnel, sent.ledger, sent.events)


def merger(run: RunDirectory, time: Time) -> Merger:
    return Merger(run, time.clock(), (1, 3))


def second_of(elapsed_s: int, requests: int) -> Second:
    second = Second(elapsed_s)
    second.counters["home"].update({"request_count": requests})
    second.histograms[Tag("response_time", "home", "ok")].record(1000, requests)
    return second


def counted(run: RunDirectory) -> list[tuple[str, str]]:
    return [(row["elapsed_s"], row["request_count"]) for row in read_rows(run.counters, COUNTERS_COLUMNS)]


def test_what_was_recorded_is_what_stands_in_the_files(recorder: Recorder, run: RunDirectory, time: Time) -> None:
    merging = merger(run, time)
    merging.expect(["worker-1"])
    merging.accept(Batch("worker-1", filled(recorder), 1, LOAD))
    merging.samples([Sample(0, "shop", "shop-1", 9, 0.5, 4096, 2, 1)])
    merging.close()
    [web, phone] = read_rows(run.funnel, FUNNEL_COLUMNS)
    assert {name: value for name, value in web.items() if value != "0"} == {
        "segment": "web",
        "arrived_count": "1",
        "paid_count": "1",
        "finished_count": "1",
        "late_count": "1",
        "paid_s_sum": "3.5",
    }
    assert phone["dropped_count"] == "1"
    counters = {row["page_kind"]: row for row in read_rows(run.counters, COUNTERS_COLUMNS)}
    assert (counters["product"]["request_count"], counters["session"]["dropped_count"]) == ("1", "1")
    assert {str(line.tag): line.histogram.count for line in read_hlog(run.hlog)} == {
        "service_time/product/ok": 1,
        "response_time/product/ok": 1,
        "ttfb/product/none": 1,
        "schedule_lag/session/ok": 1,
        "stay/session/finished": 1,
        "loop_lag/worker-1/ok": 1,
    }
    assert [LedgerLine.from_json(line).order_id for line in read_lines(run.ledger)] == [11]
    assert [Event.from_json(line).detail for line in read_lines(run.events)] == [{"message": "look"}]
    assert [row["role"] for row in read_rows(run.tiers, TIERS_COLUMNS)] == ["shop-1"]


def test_a_second_is_written_when_all_workers_handed_it_in(run: RunDirectory, time: Time) -> None:
    merging = merger(run, time)
    merging.expect(["worker-1", "worker-2"])
    merging.accept(Batch("worker-1", (second_of(0, 3),), 1, LOAD))
    assert counted(run) == []
    merging.accept(Batch("worker-2", (second_of(0, 4),), 1, LOAD))
    assert counted(run) == [("0", "7")]
    merging.close()


def test_a_second_waits_for_a_silent_worker_no_longer_than_two_seconds(run: RunDirectory, time: Time) -> None:
    merging = merger(run, time)
    merging.expect(["worker-1", "worker-2"])
    merging.accept(Batch("worker-1", (second_of(0, 3),), 1, LOAD))
    time.now_s = 3.0
    merging.write_due()
    assert counted(run) == [("0", "3")]
    merging.accept(Batch("worker-2", (second_of(0, 4),), 1, LOAD))
    assert counted(run) == [("0", "3"), ("0", "4")]  # rows of the same key add up
    merging.close()


def test_a_lost_worker_is_waited_for_no_more(run: RunDirectory, time: Time) -> None:
    merging = merger(run, time)
    merging.expect(["worker-1", "worker-2"])
    merging.accept(Batch("worker-2", (), 1, LOAD))
    assert merging.sessions_in_progress == 3
    assert merging.lose("worker-2") == 1
    assert merging.sessions_in_progress == 0
    merging.accept(Batch("worker-1", (second_of(1, 5),), 2, LOAD))
    assert counted(run) == [("1", "5")]
    merging.close()


@pytest.mark.parametrize("full", ["counters.csv", "ledger.jsonl", "events.jsonl", "tiers.csv"])
def test_the_first_write_that_fails_is_told_once_and_none_after_it_is_raised(
    recorder: Recorder, run: RunDirectory, time: Time, full: str
) -> None:
    told: list[OSError] = []
    (run.path / full).symlink_to("/dev/full")
    merging = Merger(run, time.clock(), (1, 3), told.append)
    for _ in range(2):
        merging.accept(Batch("worker-1", filled(recorder), 1, LOAD))
        merging.samples([Sample(0, "shop", "shop-1", 9, 0.5, 4096, 2, 1)])
        merging.event(Event(1000.0, "warning", {"message": "x" * 6000}))
        time.now_s += 3.0
        merging.write_due()
        assert [error.strerror for error in told] == ["No space left on device"]
    merging.close()
    assert told == [merging.failure]
    assert run.hlog.exists() or run.hlog.with_name("latency.hlog.gz").exists()


def test_a_log_that_cannot_be_packed_stays_as_it_is(run: RunDirectory, time: Time) -> None:
    merging = merger(run, time)
    merging.add([second_of(0, 3)])
    run.hlog.with_name("latency.hlog.gz").symlink_to("/dev/full")
    merging.close()
    assert merging.failure is not None
    assert [line.histogram.count for line in read_hlog(run.hlog)] == [3]
    assert not run.hlog.with_name("latency.hlog.gz").is_symlink()


def test_only_the_steady_phase_is_tallied(run: RunDirectory, time: Time) -> None:
    merging = merger(run, time)
    merging.add(second_of(elapsed_s, 10**elapsed_s) for elapsed_s in range(4))
    merging.close()
    assert sum(int(count) for _, count in counted(run)) == 1111
    figures: Any = merging.tally.figures(2.0)
    assert figures["requests"]["count"] == 110
    assert figures["response_time_ms"]["home"]["count"] == 110


def test_workers_with_different_names_have_a_hundred_kinds_together(run: RunDirectory, time: Time) -> None:
    merging = merger(run, time)
    for worker in range(2):
        second = Second(0)
        for number in range(100):
            second.counters[f"{worker}-{number}"].update({"request_count": 1})
        merging.add([second])
    merging.close()
    kinds: Counter[str] = Counter()
    for row in read_rows(run.counters, COUNTERS_COLUMNS):
        kinds[row["page_kind"]] += int(row["request_count"])
    assert (len(kinds), kinds["other"]) == (101, 100)
