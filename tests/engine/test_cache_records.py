"""What caches say of requests, how old their answers are, and what leaks: from samples to the files of a run."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgpack
import pytest

from loadgen.batch import Batch, Second
from loadgen.hlog import Tag, read_hlog
from loadgen.http.cookies import CookieJar
from loadgen.http.hosts import locate
from loadgen.http.request import Request, header_lines
from loadgen.http.response import ShopperResponse
from loadgen.merger import Merger
from loadgen.recorder import Recorder
from loadgen.records import (
    CACHES_COLUMNS,
    COUNTERS_COLUMNS,
    SAFETY_COLUMNS,
    SIGHTINGS_COLUMNS,
    Event,
    read_lines,
    read_rows,
)
from loadgen.runclock import RunClock
from loadgen.rundir import RunDirectory

STARTED_AT = 1_795_421_700.0
POP_MISS = b"lonjak-shield; hit, lonjak-pop-1; fwd=uri-miss; stored"


class Time:
    now_s = 0.0

    def clock(self) -> RunClock:
        return RunClock(STARTED_AT, now=lambda: STARTED_AT, monotonic=lambda: self.now_s)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def recorder(time: Time) -> Recorder:
    return Recorder(time.clock())


def sample(
    recorder: Recorder,
    cached: bytes = b"",
    *,
    url: str = "http://127.0.0.1:8080/product/17",
    name: str = "product",
    made_at: float | None = None,
    **values: Any,
) -> None:
    """A sample of our own client with these headers, answered now."""
    host, path = locate(url)
    response = ShopperResponse(
        Request("GET", host, path, header_lines({}, {})), name, {}, CookieJar(), recorder.on_response
    )
    head = b"HTTP/1.1 200 OK\r\nCache-Status: %b\r\nCache-Control: public\r\n" % cached
    head += b"X-Generated-At: %.3f\r\n" % made_at if made_at is not None else b""
    known = {"status_code": 200, "service_us": 9000, "ttfb_us": 4000, "body_bytes": 900, "head": head}
    known |= {
        "cache_status": cached,
        "cache_control": b"public",
        "ended_at": recorder.clock.instant(recorder.clock.elapsed_s),
    }
    for key, value in {**known, **values}.items():
        setattr(response, key, value)
    response.report()


def foreign(
    recorder: Recorder, url: str = "http://127.0.0.1:8080/product/17", *, status: int = 200, **headers: str
) -> None:
    """The same of any other client."""
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    response = SimpleNamespace(status_code=status, headers=named, url=url)
    recorder.on_request(
        request_type="GET", name="product", response_time=9.0, response_length=900, exception=None, response=response
    )


def only(recorder: Recorder) -> Second:
    [second] = recorder.take()
    return second


def travelled(batch: Batch) -> Batch:
    return Batch.from_wire(msgpack.loads(msgpack.dumps(batch.to_wire()), strict_map_key=False))


def written(folder: Path, time: Time, recorders: Iterable[Recorder]) -> RunDirectory:
    """The files of a run whose workers hand in everything at the end."""
    run = RunDirectory(folder)
    merger = Merger(run, time.clock(), (0, 60))
    for number, recorder in enumerate(recorders, 1):
        for piece in recorder.take():
            merger.accept(travelled(Batch(f"worker-{number}", (piece,))))
    merger.close()
    return run


def sums(path: Path, columns: tuple[str, ...], keys: int) -> dict[tuple[str, ...], tuple[float, ...]]:
    """Rows added up by their first columns."""
    found: dict[tuple[str, ...], Counter[str]] = {}
    for row in read_rows(path, columns):
        key = tuple(row[name] for name in columns[:keys])
        found.setdefault(key, Counter()).update({name: float(row[name]) for name in columns[keys:]})  # type: ignore[misc]
    return {key: tuple(counts[name] for name in columns[keys:]) for key, counts in found.items()}


def test_every_cache_of_a_request_is_counted_and_the_shopper_got_what_the_first_had(recorder: Recorder) -> None:
    sample(recorder, POP_MISS)
    sample(recorder, b"lonjak-shield; fwd=uri-miss; stored, lonjak-pop-1; fwd=uri-miss; stored")
    sample(recorder, b"lonjak-shield; fwd=uri-miss; stored, lonjak-pop-1; hit")
    second = only(recorder)
    assert second.caches == {
        ("product", "lonjak-shield", "hit"): {"request_count": 1, "received_bytes": 900},
        ("product", "lonjak-shield", "miss"): {"request_count": 1, "received_bytes": 900},
        ("product", "lonjak-pop-1", "miss"): {"request_count": 2, "received_bytes": 1800},
        ("product", "lonjak-pop-1", "hit"): {"request_count": 1, "received_bytes": 900},
    }
    counts = second.counters["product"]
    assert (counts["cache_hit_count"], counts["cache_miss_count"], counts["cacheable_hit_count"]) == (2, 1, 2)
    assert second.histograms[Tag("ttfb", "product", "hit")].count == 2


def test_where_no_cache_speaks_nothing_is_written_of_any(recorder: Recorder) -> None:
    sample(recorder, made_at=STARTED_AT)
    second = only(recorder)
    assert (second.caches, second.safety) == ({}, {})
    assert [tag for tag in second.histograms if tag.measure == "age"] == []


@pytest.mark.parametrize("status", [400, 414, 431])
def test_a_refusal_that_is_not_the_shops_and_of_no_cache_is_a_parsers(recorder: Recorder, status: int) -> None:
    head = b"HTTP/1.1 %d No\r\nConnection: close\r\n" % status
    bare = {"name": "probe", "status_code": status, "cache_control": b""}
    sample(recorder, head=head, **bare)
    sample(recorder, b"c; fwd=uri-miss", head=head, **bare)
    sample(recorder, b"c; detail=LOCAL", head=head, **bare)
    sample(recorder, head=head + b"X-Page-Kind: product\r\n", **(bare | {"cache_control": b"private"}))
    second = only(recorder)
    assert {key: counts["request_count"] for key, counts in second.caches.items()} == {
        ("probe", "http-parser", "local"): 2,
        ("probe", "c", "miss"): 1,
        ("probe", "c", "local"): 1,
    }
    assert second.counters["probe"]["cache_miss_count"] == 1


@pytest.mark.parametrize("cached", [b"", b"c; fwd=uri-miss", b"c; fwd=bypass", b"s; fwd=stale, c; fwd=uri-miss"])
@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_an_error_that_is_not_the_shops_and_of_no_cache_was_made_on_the_way(
    recorder: Recorder, cached: bytes, status: int
) -> None:
    head = b"HTTP/1.1 %d No\r\n" % status
    for name in ("product", "probe"):
        sample(recorder, cached, name=name, status_code=status, head=head)
    said = only(recorder).caches
    made = {key: counts["request_count"] for key, counts in said.items() if key[2] == "local"}
    assert made == {("product", "gateway", "local"): 1, ("probe", "gateway", "local"): 1}


@pytest.mark.parametrize(
    ("cached", "page_kind"),
    [(b"c; hit", b""), (b"c; fwd=uri-miss; collapsed", b""), (b"c; detail=LOCAL", b""), (b"c; fwd=bypass", b"cart")],
)
def test_an_error_of_the_shop_or_of_a_cache_was_not_made_on_the_way(
    recorder: Recorder, cached: bytes, page_kind: bytes
) -> None:
    head = b"HTTP/1.1 503 No\r\n" + (b"X-Page-Kind: %b\r\n" % page_kind if page_kind else b"")
    sample(recorder, cached, status_code=503, head=head)
    assert {cache for _, cache, _ in only(recorder).caches} == {"c"}


def test_what_was_made_on_the_way_is_told_of_other_clients_as_well(recorder: Recorder) -> None:
    foreign(recorder, status=502, cache_status="c; fwd=bypass")
    foreign(recorder, status=503, cache_status="c; fwd=bypass", x_page_kind="cart")
    foreign(recorder, status=431)
    assert {key: counts["request_count"] for key, counts in only(recorder).caches.items()} == {
        ("product", "c", "bypass"): 2,
        ("product", "gateway", "local"): 1,
        ("product", "http-parser", "local"): 1,
    }


@pytest.mark.parametrize(
    ("cached", "word"),
    [(b"c; hit", "hit"), (b"c; hit; ttl=-1; detail=STALE", "stale"), (b"c; fwd=uri-miss; collapsed", "collapsed")],
)
def test_an_answer_from_a_store_is_as_old_as_the_shop_says(
    recorder: Recorder, time: Time, cached: bytes, word: str
) -> None:
    time.now_s = 7.5
    sample(recorder, cached, made_at=STARTED_AT + 5.25)
    age = only(recorder).histograms[Tag("age", "product", word)]
    assert age.percentile_us(50) == pytest.approx(2_250_000, rel=0.001)


def test_the_age_counts_by_the_masters_clock() -> None:
    recorder = Recorder(RunClock(STARTED_AT, 2.0, now=lambda: STARTED_AT - 2.0, monotonic=lambda: 0.0))
    sample(recorder, b"c; hit", made_at=STARTED_AT - 4.0)
    assert only(recorder).histograms[Tag("age", "product", "hit")].max_us == pytest.approx(4_000_000, rel=0.001)


@pytest.mark.parametrize(("made_at", "age_us"), [(STARTED_AT + 1.0, 0), (STARTED_AT - 86_400.0, 3_600_000_000)])
def test_an_age_beyond_the_range_is_counted_at_its_ends_without_a_warning(
    recorder: Recorder, made_at: float, age_us: int
) -> None:
    sample(recorder, b"c; hit", made_at=made_at)
    second = only(recorder)
    assert second.histograms[Tag("age", "product", "hit")].max_us == pytest.approx(age_us, rel=0.001)
    assert second.events == []


def test_an_answer_of_the_shop_has_no_age_in_a_cache(recorder: Recorder) -> None:
    sample(recorder, b"c; fwd=uri-miss; stored", made_at=STARTED_AT)
    assert [tag for tag in only(recorder).histograms if tag.measure == "age"] == []


def test_the_oldest_page_of_a_wanted_product_is_kept_with_or_without_a_cache(recorder: Recorder) -> None:
    for cached, made_at in ((b"c; hit", 3.5), (b"", 1.25), (b"c; fwd=uri-miss", 2.0)):
        sample(recorder, cached, made_at=STARTED_AT + made_at)
    sample(recorder, url="http://127.0.0.1:8080/product/100?ref=home", made_at=STARTED_AT + 9.0)
    assert only(recorder).sightings == {17: (3, STARTED_AT + 1.25), 100: (1, STARTED_AT + 9.0)}


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("/product/101", "product"),
        ("/product/0", "product"),
        ("/product/1/reviews", "product"),
        ("/product/", "product"),
        ("/category/7", "product"),
        ("/product/17", "probe"),
        ("/product/17", "home"),
    ],
)
def test_other_pages_are_no_sightings(recorder: Recorder, url: str, name: str) -> None:
    sample(recorder, b"c; hit", url=f"http://127.0.0.1:8080{url}", name=name, made_at=STARTED_AT)
    assert only(recorder).sightings == {}


def test_a_product_page_that_does_not_say_when_it_was_made_is_none(recorder: Recorder) -> None:
    sample(recorder, b"c; hit")
    assert only(recorder).sightings == {}


def test_a_cookie_in_an_answer_from_a_store_is_an_alarm(recorder: Recorder) -> None:
    sample(recorder, b"c; hit")
    sample(recorder, b"c; hit", sets_cookie=True, url="http://u:p@127.0.0.1:8080/product/17?a=1")
    sample(recorder, b"c; fwd=uri-miss; stored", sets_cookie=True)
    sample(recorder, b"", sets_cookie=True)
    second = only(recorder)
    assert second.safety == {"set-cookie": {"checked_count": 2, "alarm_count": 1}}
    [event] = second.events
    assert (event.kind, event.detail) == (
        "leak",
        {
            "check": "set-cookie",
            "url": "/product/17?a=1",
            "page_kind": "product",
            "cache_status": "c; hit",
            "cache_control": "public",
            "key": "127.0.0.1:8080/product/17?a=1",
            "told": "an answer from a cache's store sets a cookie",
        },
    )


def test_of_many_leaks_the_first_twenty_of_each_check_are_told_and_all_are_counted(recorder: Recorder) -> None:
    for _ in range(25):
        sample(recorder, b"c; hit", sets_cookie=True)
        recorder.safety_checked("visitor", 2)
        recorder.leak(
            "visitor", url="/cart", page_kind="cart", cache_status="", cache_control="", key="shop/cart", told="seen"
        )
    second = only(recorder)
    assert second.safety == {
        "set-cookie": {"checked_count": 25, "alarm_count": 25},
        "visitor": {"checked_count": 50, "alarm_count": 25},
    }
    assert Counter(event.detail["check"] for event in second.events) == {"set-cookie": 20, "visitor": 20}


def test_what_is_told_of_a_leak_is_bounded(recorder: Recorder) -> None:
    long = "/" + "x" * 20_000
    recorder.leak("deception", url=long, page_kind="probe", cache_status=long, cache_control=long, key=long, told=long)
    [event] = only(recorder).events
    assert {len(str(value)) for value in event.detail.values()} == {len("deception"), len("probe"), 300}


def test_another_client_is_looked_at_just_the_same(time: Time) -> None:
    ours, foreigners = Recorder(time.clock()), Recorder(time.clock())
    time.now_s = 3.0
    for cached in ("c; hit", "", POP_MISS.decode()):
        sample(ours, cached.encode(), made_at=STARTED_AT + 1.5, ttfb_us=9000)
        foreign(foreigners, cache_status=cached, cache_control="public", x_generated_at=f"{STARTED_AT + 1.5:.3f}")
    sample(ours, b"c; hit", sets_cookie=True, ttfb_us=9000)
    foreign(foreigners, cache_status="c; hit", cache_control="public", set_cookie="a=b")
    one, other = only(ours), only(foreigners)
    assert (one.caches, one.safety, one.sightings) == (other.caches, other.safety, other.sightings)
    assert {tag: found.counts for tag, found in one.histograms.items()} == {
        tag: found.counts for tag, found in other.histograms.items()
    }
    assert [event.detail for event in one.events] == [event.detail for event in other.events]


def test_caches_beyond_twenty_names_are_counted_as_other(recorder: Recorder) -> None:
    for number in range(25):
        sample(recorder, b'"edge, %d"; hit' % number)
    second = only(recorder)
    caches = {cache: counts["request_count"] for (_, cache, _), counts in second.caches.items()}
    assert caches == {**{f"edge-{number}": 1 for number in range(20)}, "other": 5}
    assert [event.detail["message"] for event in second.events] == [
        "more than 20 names of caches: the rest is counted as `other`"
    ]


def tell_all(recorders: list[Recorder], time: Time) -> None:
    """Three seconds of requests, dealt out to the workers in turn."""
    for number in range(300):
        recorder = recorders[number % len(recorders)]
        time.now_s = number / 100
        cached = (b"c; hit", b"c; fwd=uri-miss; stored", POP_MISS, b"")[number % 4]
        sample(
            recorder,
            cached,
            name=("product", "home", "probe")[number % 3],
            url=f"http://127.0.0.1:8080/product/{number % 7 + 1}",
            made_at=STARTED_AT + time.now_s - number % 11 / 8,
            sets_cookie=number % 50 == 0,
        )
        recorder.safety_checked("visitor")
        if number % 100 == 0:
            recorder.leak("poisoning", url="/", page_kind="home", cache_status="", cache_control="", key="s/", told="t")


@pytest.mark.parametrize("worker_count", [1, 4])
def test_what_workers_recorded_adds_up_in_the_files_of_the_run(tmp_path: Path, time: Time, worker_count: int) -> None:
    recorders = [Recorder(time.clock()) for _ in range(worker_count)]
    tell_all(recorders, time)
    run = written(tmp_path, time, recorders)
    caches = sums(run.caches, CACHES_COLUMNS, 4)
    assert caches["0", "product", "c", "hit"] == (9.0, 8100.0)
    assert sum(count for count, _ in caches.values()) == 75 + 75 + 2 * 75
    counted = sum(int(row["request_count"]) for row in read_rows(run.counters, COUNTERS_COLUMNS))
    assert counted == 300
    safety = sums(run.safety, SAFETY_COLUMNS, 2)
    assert {check: counts for (second, check), counts in safety.items() if second == "1"} == {
        "set-cookie": (50.0, 2.0),
        "visitor": (100.0, 0.0),
        "poisoning": (0.0, 1.0),
    }
    leaks = [event.detail["check"] for event in map(Event.from_json, read_lines(run.events)) if event.kind == "leak"]
    assert Counter(leaks) == {"set-cookie": 6, "poisoning": 3}
    ages = sum(line.histogram.count for line in read_hlog(run.hlog) if line.tag.measure == "age")
    assert ages == 150


@pytest.mark.parametrize("worker_count", [1, 4])
def test_the_oldest_sighting_of_all_workers_is_in_the_file(tmp_path: Path, time: Time, worker_count: int) -> None:
    recorders = [Recorder(time.clock()) for _ in range(worker_count)]
    tell_all(recorders, time)
    run = written(tmp_path, time, recorders)
    rows = list(read_rows(run.sightings, SIGHTINGS_COLUMNS))
    expected: dict[tuple[int, int], list[float]] = {}
    for number in range(0, 300, 3):
        key = (number // 100, number % 7 + 1)
        expected.setdefault(key, []).append(round(STARTED_AT + number / 100 - number % 11 / 8, 3))
    assert {(int(row["elapsed_s"]), int(row["product_id"])): float(row["oldest_at"]) for row in rows} == {
        key: pytest.approx(min(made), abs=0.0011) for key, made in expected.items()
    }
    assert sum(int(row["request_count"]) for row in rows) == 100
