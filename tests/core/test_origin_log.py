"""From the access logs of edges and shop to who waited for the origin, and what an expiry cost it."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.bursts import KeyBursts
from loadgen.origin import OriginKeyRow, OriginRow, ShopLog, TierLog, log_lines
from loadgen.records import ORIGIN_COLUMNS, ORIGIN_KEYS_COLUMNS, read_rows
from loadgen.rundir import RunDirectory
from loadgen.stack import AccessLog, Stack
from loadgen.truth import write_origin


class Logs:
    """A stack's logs in a folder, and what a run from second 1000 to 1010 makes of them."""

    def __init__(self, folder: Path) -> None:
        self.run = RunDirectory(folder)
        self._logs: dict[tuple[str, str], list[str]] = {}

    def line(self, tier: str, at: float, kind: str = "product", *, process: str = "1", **more: object) -> None:
        line = {"at": at, "kind": kind, "status": 200, "bytes": 100, "duration_s": 0.01, "request_id": "r", **more}
        self._logs.setdefault((tier, process), []).append(json.dumps(line))

    def write(self) -> list[str]:
        found = []
        for (tier, process), lines in self._logs.items():
            path = self.run.path / f"{tier}-{process}.log"
            path.write_text("".join(f"{line}\n" for line in lines))
            found.append(AccessLog(tier, path))
        url = "http://127.0.0.1:1"
        stack = Stack(Path("stack.json"), "ready", url, "nginx", None, None, {}, tuple(found), (), None, None)
        return write_origin(self.run, stack, {}, 1000.0, 1010.0)

    def shop_rows(self) -> dict[tuple[str, str], int]:
        """How many requests of the shop, by page kind and for whom."""
        rows = [row for row in read_rows(self.run.origin, ORIGIN_COLUMNS) if row["tier"] == "shop"]
        return {(row["page_kind"], row["cache_status"]): int(row["request_count"]) for row in rows}

    def keys(self) -> list[tuple[str, ...]]:
        return [tuple(row.values()) for row in read_rows(self.run.origin_keys, ORIGIN_KEYS_COLUMNS)]


@pytest.fixture
def logs(tmp_path: Path) -> Logs:
    return Logs(tmp_path)


def test_access_logs_become_rows_of_the_run_only() -> None:
    lines = [
        '{"at": 100.2, "kind": "home", "bytes": 10, "cache": "HIT"}',
        '{"at": 100.9, "kind": "home", "bytes": 30, "cache": "HIT"}',
        '{"at": 99.0, "kind": "home", "bytes": 10}',
        "torn {",
        "[]",
        '{"at": 101.0, "kind": "", "bytes": 5}',
    ]
    log = TierLog("edge", 100.0, 110.0)
    log.read(log_lines(lines))
    assert list(log.rows()) == [OriginRow(0, "edge", "home", "hit", 2, 40), OriginRow(1, "edge", "other", "none", 1, 5)]


@pytest.mark.parametrize("word", ["stale", "updating", "STALE"])
def test_what_a_stale_answer_was_refreshed_by_waited_for_nobody(logs: Logs, word: str) -> None:
    logs.line("edge", 1001.0, request_id="a", cache=word)
    logs.line("edge", 1001.0, request_id="b", cache="miss")
    logs.line("shop", 1001.1, request_id="a")
    logs.line("shop", 1001.1, request_id="b")
    assert logs.write() == []
    assert logs.shop_rows() == {("product", "background"): 1, ("product", "client"): 1}


def test_a_stale_answer_of_the_shield_is_refreshed_behind_the_shopper_as_well(logs: Logs) -> None:
    logs.line("edge", 1001.0, request_id="a", cache="miss")
    logs.line("shield", 1001.0, request_id="a", cache="stale")
    logs.line("shop", 1001.1, request_id="a")
    logs.write()
    assert logs.shop_rows() == {("product", "background"): 1}


def test_a_stale_answer_from_before_the_run_explains_a_fetch_in_it(logs: Logs) -> None:
    logs.line("edge", 999.9, request_id="a", cache="stale")
    logs.line("shop", 1000.1, request_id="a")
    logs.write()
    assert logs.shop_rows() == {("product", "background"): 1}


def test_a_purge_is_told_by_its_number(logs: Logs) -> None:
    logs.line("edge", 1001.0, request_id="purge-7", cache="stale")
    logs.line("shop", 1001.0, request_id="purge-7")
    logs.line("shop", 1002.0, request_id="7-purge-")
    logs.write()
    assert logs.shop_rows() == {("product", "purge"): 1, ("product", "client"): 1}


def test_a_probe_is_told_by_its_number_and_makes_no_burst(logs: Logs) -> None:
    logs.line("edge", 1001.0, request_id="safety-7", cache="miss")
    logs.line("shop", 1001.0, request_id="safety-7", key="/product/1", duration_s=0.5)
    logs.line("shop", 1001.0, request_id="7-safety-", key="/product/1", duration_s=0.5)
    logs.write()
    assert logs.shop_rows() == {("product", "probe"): 1, ("product", "client"): 1}
    assert logs.keys() == [("shop", "product", "/product/1", "1", "1", "1")]


def test_what_is_refreshed_behind_a_stale_answer_to_a_probe_waited_for_nobody_either(logs: Logs) -> None:
    logs.line("edge", 1001.0, request_id="safety-7", cache="stale")
    logs.line("shop", 1001.1, request_id="safety-7")
    logs.write()
    assert logs.shop_rows() == {("product", "background"): 1}


def test_without_an_edge_a_number_proves_no_probe(logs: Logs) -> None:
    logs.line("shop", 1001.0, request_id="safety-7")
    logs.write()
    assert logs.shop_rows() == {("product", "none"): 1}


def test_without_an_edge_nobody_stands_between(logs: Logs) -> None:
    logs.line("shop", 1001.0)
    logs.line("payment", 1001.0, kind="charge")
    logs.write()
    assert logs.shop_rows() == {("product", "none"): 1}


def test_an_edge_without_a_cache_passes_on_what_shoppers_wait_for(logs: Logs) -> None:
    logs.line("front", 1001.0, cache="none")
    logs.line("shop", 1001.0)
    logs.write()
    assert logs.shop_rows() == {("product", "client"): 1}


def test_what_is_asked_past_the_edge_is_nobodys(logs: Logs) -> None:
    logs.line("edge", 1001.0, cache="miss")
    logs.line("shop", 1001.0, kind="ops")
    logs.write()
    assert logs.shop_rows() == {("ops", "none"): 1}


def test_fetches_of_one_page_that_overlap_are_one_burst(logs: Logs) -> None:
    logs.line("edge", 1000.5, cache="miss")
    page = {"key": "/product/1"}
    for at, duration_s in ((1001.0, 0.5), (1001.25, 0.5), (1001.5, 0.25), (1003.0, 0.25)):
        logs.line("shop", at, duration_s=duration_s, **page)
    logs.line("shop", 1001.0, duration_s=0.5, key="/product/2")
    logs.line("shop", 1001.0, duration_s=0.5, kind="cart")
    logs.write()
    assert logs.keys() == [
        ("shop", "product", "/product/1", "4", "2", "3"),
        ("shop", "product", "/product/2", "1", "1", "1"),
    ]


def test_the_logs_of_several_workers_are_one_history(logs: Logs) -> None:
    logs.line("edge", 1000.5, cache="miss")
    for second in range(1, 9):
        for process in ("1", "2"):
            logs.line("shop", 1000.0 + second, process=process, duration_s=0.25, key="/")
    logs.write()
    assert logs.keys() == [("shop", "product", "/", "16", "8", "2")]


def test_what_a_purge_fetches_is_no_burst(logs: Logs) -> None:
    logs.line("shop", 1001.0, request_id="purge-1", key="/product/1", duration_s=0.5)
    logs.line("shop", 1001.0, key="/product/1", duration_s=0.5)
    logs.write()
    assert logs.keys() == [("shop", "product", "/product/1", "1", "1", "1")]


def test_a_log_that_is_not_there_is_told_and_the_others_are_read(logs: Logs, tmp_path: Path) -> None:
    present = tmp_path / "shop.log"
    present.write_text('{"at": 1001, "kind": "home", "bytes": 5}\n')
    found = (AccessLog("edge", tmp_path / "none.log"), AccessLog("shop", present))
    stack = Stack(Path("s"), "ready", "http://127.0.0.1:1", "nginx", None, None, {}, found, (), None, None)
    problems = write_origin(logs.run, stack, {}, 1000.0, 1010.0)
    assert problems == [f"the access log {tmp_path / 'none.log'} was not read: No such file or directory"]
    assert logs.shop_rows() == {("home", "client"): 1}


def test_the_thousand_pages_that_were_fetched_most_are_kept() -> None:
    texts = [
        json.dumps({"at": 1000 + number / 1000, "kind": "search", "bytes": 1, "key": f"/search?q={number:04}"})
        for number in [*range(1200), *range(1100, 1200), 1150]
    ]
    log = ShopLog(1000.0, 1010.0, None)
    log.read_all([log_lines(texts)])
    rows = list(log.key_rows())
    assert len(rows) == 1000
    assert rows[0] == OriginKeyRow("shop", "search", "/search?q=1150", 3, 1, 3)
    assert [row.key for row in rows[1:3]] == ["/search?q=1100", "/search?q=1101"]
    assert rows[-1].key == "/search?q=0899"


def by_hand(fetches: list[tuple[float, float]]) -> list[int]:
    """Sizes of bursts: sets of intervals that hang together, from the definition alone."""
    left, sizes = list(range(len(fetches))), []
    while left:
        burst = [left.pop()]
        for one in burst:
            for other in [index for index in left if overlap(fetches[one], fetches[index])]:
                left.remove(other)
                burst.append(other)
        sizes.append(len(burst))
    return sizes


def overlap(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one[0] <= other[1] and other[0] <= one[1]


fetch = st.tuples(st.integers(0, 60), st.integers(0, 12)).map(lambda drawn: (float(drawn[0]), float(sum(drawn))))


@given(st.lists(fetch, min_size=1, max_size=14))
def test_bursts_are_the_sets_that_hang_together_in_whatever_order_they_come(fetches: list[tuple[float, float]]) -> None:
    bursts, sizes = KeyBursts(), by_hand(fetches)
    for start, end in fetches:
        bursts.add(start, end)
    assert (bursts.request_count, bursts.burst_count, bursts.largest_count) == (len(fetches), len(sizes), max(sizes))


@given(st.lists(fetch, min_size=1, max_size=60))
def test_a_burst_that_is_long_over_is_kept_as_it_was(fetches: list[tuple[float, float]]) -> None:
    in_order = [(start + 20 * number, end + 20 * number) for number, (start, end) in enumerate(fetches)]
    in_order.sort(key=lambda ends: ends[1])
    bursts, sizes = KeyBursts(), by_hand(in_order)
    for start, end in in_order:
        bursts.add(start, end)
    assert (bursts.burst_count, bursts.largest_count) == (len(sizes), max(sizes))
