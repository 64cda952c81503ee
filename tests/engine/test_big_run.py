"""The big run of the bench in small: recorded as any run, agreeing with itself, and told by its own figures."""

import json
from pathlib import Path

import pytest

from analysis.recording import read
from loadgen.bench.big_run import record
from lonjak.documents import draw


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = record(tmp_path_factory.mktemp("big") / "run", duration_s=60, rate_per_s=100.0, seed=3)
    draw(run)
    return run.path


def test_every_request_is_recorded_once(folder: Path) -> None:
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["requests"]["count"] == pytest.approx(60 * 100 * 1.01, rel=0.05)  # 1 + sin(t / 300) / 10
    assert summary["errors"]["failed_http_5xx_count"] == summary["requests"]["failed_count"] > 0


def test_nothing_in_it_contradicts_anything_and_its_books_agree(folder: Path) -> None:
    verdict = json.loads((folder / "verdict.json").read_text())
    assert (verdict["verdict"], verdict["cause"], verdict["audit"]["outcome"]) == ("fail", "objectives", "pass")
    assert verdict["reasons"][0].startswith("failed_ratio is 0.0")


def test_the_fault_is_felt_and_got_over(folder: Path) -> None:
    [fault] = json.loads((folder / "summary.json").read_text())["recovery"]
    assert (fault["fault"], fault["disturbed"]) == ("kill worker shop-1", True)
    assert 8 <= fault["recovered_s"] <= 12  # shoppers felt it for 12 s; a window may bear the last of them


def test_the_same_seed_is_the_same_run(folder: Path, tmp_path: Path) -> None:
    again = record(tmp_path / "again", duration_s=60, rate_per_s=100.0, seed=3)
    for name in ("counters.csv", "latency.hlog.gz", "ledger.jsonl", "funnel.csv", "caches.csv"):
        assert (again.path / name).read_bytes() == (folder / name).read_bytes(), name
    assert len(read(again).ledger) > 0
