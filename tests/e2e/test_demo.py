"""The main job, from the wheel, in an empty folder: what `make demo` promises."""

import json
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import pytest

from analysis.run import analyse
from loadgen.exitcodes import ExitCode
from loadgen.rundir import RunDirectory
from reference_shop.edges import programs
from tests.e2e.conftest import Place, wait_until

SHORT = ("--duration", "24s", "--rate", "8", "--products", "1000")
COMPARES = programs.find("nginx") is not None
needs_nginx = pytest.mark.skipif(not COMPARES, reason="nginx is not installed")


@dataclass(frozen=True)
class Demo:
    place: Place
    ended: "subprocess.CompletedProcess[str]"
    run: RunDirectory

    def lines(self, name: str) -> list[dict[str, object]]:
        return [json.loads(line) for line in (self.run.path / name).read_text().splitlines()]

    def document(self, name: str) -> dict[str, dict[str, float]]:
        loaded: dict[str, dict[str, float]] = json.loads((self.run.path / name).read_text())
        return loaded


@pytest.fixture(scope="module")
def demo(new_place: Callable[[], AbstractContextManager[Place]]) -> Iterator[Demo]:
    with new_place() as place:
        ended = place.run("demo", *SHORT)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        yield Demo(place, ended, place.runs[0])


def test_the_demo_answers_with_its_verdict_first_and_the_report_last(demo: Demo) -> None:
    lines = demo.ended.stdout.splitlines()
    assert lines[0].startswith("pass: ")
    reports = [demo.run.report, *(study.report for study in demo.place.studies)]
    assert [(demo.place.folder / line).resolve() for line in lines[-len(reports) :]] == [
        report.resolve() for report in reports
    ]
    assert len(lines) == (4 if COMPARES else 2)


@needs_nginx
def test_the_demo_says_what_the_cache_saved(demo: Demo) -> None:
    saved = demo.ended.stdout.splitlines()[1].replace("\u00a0", " ")
    assert saved.startswith("With nginx, catalogue pages come in ")
    assert re.search(r"; with nginx-pass in .*; the shop answers \d+(\.\d)? % fewer requests", saved)


@needs_nginx
def test_both_runs_had_the_same_shoppers_and_the_cache_spared_the_shop_most_of_them(demo: Demo) -> None:
    cached, uncached = (json.loads(run.summary.read_text()) for run in demo.place.runs)
    assert (cached["run"]["edge"], uncached["run"]["edge"]) == ("nginx", "nginx-pass")
    assert cached["sessions"]["arrived_count"] == uncached["sessions"]["arrived_count"]
    [study] = demo.place.studies
    profiles = json.loads(study.summary.read_text())["profiles"]
    offload = {name: figures["cache"]["origin_offload_ratio"]["value"] for name, figures in profiles.items()}
    assert offload["nginx"] > 0.4
    assert offload["nginx-pass"] is None  # of no cache there is none
    fetched = {name: figures["cache"]["origin_requests_per_s"]["value"] for name, figures in profiles.items()}
    assert fetched["nginx"] < 0.6 * fetched["nginx-pass"]


def test_the_run_directory_is_whole(demo: Demo) -> None:
    names = {path.name for path in demo.run.path.iterdir()}
    assert names >= {
        *("manifest.json", "scenario.toml", "latency.hlog.gz", "counters.csv", "funnel.csv", "tiers.csv", "origin.csv"),
        *("events.jsonl", "ledger.jsonl", "truth.jsonl", "summary.json", "verdict.json"),
        *("report.html", "summary.md", "junit.xml"),
    }
    manifest = demo.document("manifest.json")
    assert (manifest["complete"], manifest["interrupted"]) == (True, False)


def test_the_shop_holds_exactly_the_orders_that_were_acknowledged(demo: Demo) -> None:
    attempts = [line for line in demo.lines("ledger.jsonl") if line["action"] == "place_order"]
    acknowledged = {line["idempotency_key"] for line in attempts if line["outcome"] == "ok"}
    unknown = {line["idempotency_key"] for line in attempts if line["outcome"] == "unknown"}
    bought = ("paid", "returning", "returned")
    orders = [line for line in demo.lines("truth.jsonl") if line["type"] == "order" and line["state"] in bought]
    held = {line["idempotency_key"] for line in orders}
    assert len(acknowledged) > 0
    assert held - unknown == acknowledged - unknown
    assert len(held) == len(orders)


def test_a_worker_was_killed_and_came_back(demo: Demo) -> None:
    events = demo.lines("events.jsonl")
    started, ended = ([event for event in events if event["kind"] == kind] for kind in ("fault_started", "fault_ended"))
    assert (len(started), len(ended)) == (1, 1)
    (recovery,) = demo.document("summary.json")["recovery"]
    assert recovery["recovered_s"] is not None  # type: ignore[index]


@needs_nginx
def test_most_cacheable_requests_are_hits_once_the_cache_is_warm(demo: Demo) -> None:
    assert demo.document("summary.json")["cache"]["request_hit_ratio"] >= 0.7


@needs_nginx
def test_the_hit_ratio_rises_from_cold(demo: Demo) -> None:
    ratios = [ratio for ratio in analyse(demo.run).series.hit_ratio if ratio is not None]
    assert ratios[0] < ratios[-1]


def test_the_report_needs_no_network_and_has_no_dead_link(demo: Demo) -> None:
    page = Links()
    page.feed(demo.run.report.read_text())
    assert [link for link in page.outward if not link.startswith("data:")] == []
    assert [link for link in page.inward if link not in page.ids] == []
    assert page.pictures >= 6


def test_a_redrawn_summary_is_the_same_to_the_byte(demo: Demo, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(demo.run.path, copy)
    for name in ("summary.json", "verdict.json", "report.html", "summary.md", "junit.xml"):
        (copy / name).unlink()
    assert demo.place.run("report", str(copy)).returncode == 0
    for name in ("summary.json", "verdict.json", "report.html"):
        assert (copy / name).read_bytes() == (demo.run.path / name).read_bytes()


def test_the_demo_leaves_no_process(demo: Demo) -> None:
    assert {process.tier for process in demo.place.seen} >= {"database", "payment", "shop"}
    assert demo.place.left_over() == []
    assert list(demo.place.state.glob("stack-*")) == []


def test_an_interrupted_demo_reports_as_far_as_it_went(place: Place) -> None:
    process = place.start("demo", *SHORT)
    assert wait_until(lambda: has_counted(place), within_s=60)
    place.look()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, out + err
    assert place.left_over() == []
    reports = [found.report for found in (place.runs[0], *place.studies)]
    assert (all(report.exists() for report in reports), "Traceback" in err) == (True, False)


def test_a_killed_demo_leaves_no_process_and_a_readable_run(place: Place) -> None:
    process = place.start("demo", *SHORT)
    assert wait_until(lambda: has_counted(place), within_s=60)
    place.look()
    process.kill()
    process.communicate()
    assert wait_until(lambda: not place.left_over(), within_s=60)
    assert wait_until(lambda: place.runs[0].hlog.with_name("latency.hlog.gz").exists(), within_s=60)
    assert place.run("report", str(place.runs[0].path)).returncode == ExitCode.UNKNOWN


def has_counted(place: Place) -> bool:
    return any(run.counters.exists() and len(run.counters.read_text().splitlines()) > 10 for run in place.runs)


class Links(HTMLParser):
    """What a page points at."""

    def __init__(self) -> None:
        super().__init__()
        self.outward: list[str] = []
        self.inward: list[str] = []
        self.ids: set[str] = set()
        self.pictures = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.pictures += tag in ("svg", "img")
        for name, value in attrs:
            if name == "id":
                self.ids.add(value or "")
            if name in ("src", "href", "xlink:href", "srcset") and value:
                self.inward.append(value[1:]) if value.startswith("#") else self.outward.append(value)
            if name == "style":
                self.inward += re.findall(r"url\(#([^)]+)\)", value or "")
