"""`lonjak compare` as a shell sees it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from loadgen.exitcodes import ExitCode
from loadgen.rundir import RunDirectory
from tests.cli.test_command_line import lonjak
from tests.recorded_run import STARTED_AT, ordinary


def run(tmp_path: Path, number: int, ms: float = 20.0) -> RunDirectory:
    made = ordinary()
    made.manifest = replace(
        made.manifest, started_at=STARTED_AT + 100 * number, ended_at=STARTED_AT + 100 * number + 60
    )
    made.events = [replace(event, at=event.at + 100 * number) for event in made.events]
    made.ledger = [replace(line, at=line.at + 100 * number) for line in made.ledger]
    for key in made.ok_ms:
        made.ok_ms[key] = [ms] * 20
    return made.write(tmp_path / str(number))


def test_a_regression_ends_with_1_and_leaves_three_documents(tmp_path: Path) -> None:
    a, b = run(tmp_path, 1), run(tmp_path, 2, 24.0)
    ended = lonjak("compare", str(a.path), "--", str(b.path), "--out", "out", cwd=tmp_path)
    assert ended.code == ExitCode.FAIL, ended.err
    sentence, report = ended.out.replace("\u00a0", " ").splitlines()[-2:]
    assert sentence.startswith("regression: B is worse than A: p95 of all requests rose from 20 ms to 24 ms (by 20 %")
    place = (tmp_path / report).parent
    assert sorted(path.name for path in place.iterdir()) == ["compare.json", "report.html", "summary.md"]
    assert json.loads((place / "compare.json").read_text())["verdict"] == "fail"


def test_two_runs_need_no_sign_between_them(tmp_path: Path) -> None:
    ended = lonjak("compare", str(run(tmp_path, 1).path), str(run(tmp_path, 2).path), cwd=tmp_path)
    assert ended.code == ExitCode.PASS, ended.err
    assert ended.out.splitlines()[-2].startswith("no regression found: There is no evidence that B is worse than A")


def test_what_is_no_comparison_is_refused_in_a_sentence(tmp_path: Path) -> None:
    a, b = run(tmp_path, 1), run(tmp_path, 2)
    other = run(tmp_path, 3)
    manifest = json.loads(other.manifest.read_text())
    other.manifest.write_text(json.dumps({**manifest, "schema_version": 2}))
    torn = run(tmp_path, 4)
    log = torn.path / "latency.hlog.gz"
    log.write_bytes(log.read_bytes()[:200])
    cases = {
        (str(a.path),): "say which runs are A and which are B",
        (str(a.path), "--"): "there is no run after the --",
        ("--", str(b.path)): "there is no run before the --",
        (str(a.path), "--", str(a.path)): "is the same run as",
        (str(a.path), "--", str(tmp_path)): "is not a run: it holds no manifest.json",
        (str(a.path), "--", str(tmp_path / "nowhere")): "is not a directory",
        (str(a.path), "--", str(other.path)): "has format version 2; this version reads 1 only",
        (str(a.path), "--", str(torn.path)): "latency.hlog is damaged",
        ("--trend", str(tmp_path / "nowhere")): "is not a folder",
        ("--trend", str(tmp_path), str(a.path)): "name no others",
    }
    for arguments, sentence in cases.items():
        ended = lonjak("compare", *arguments, cwd=tmp_path)
        assert (ended.code, ended.out, "Traceback" in ended.err) == (ExitCode.USAGE, "", False), (arguments, ended.err)
        assert sentence in ended.err


def test_a_run_that_proves_nothing_ends_with_3(tmp_path: Path) -> None:
    a, b = run(tmp_path, 1), run(tmp_path, 2, 40.0)
    manifest = json.loads(b.manifest.read_text())
    b.manifest.write_text(json.dumps({**manifest, "complete": False}))
    ended = lonjak("compare", str(a.path), "--", str(b.path), cwd=tmp_path)
    assert ended.code == ExitCode.UNKNOWN
    assert "no answer: Nothing can be said: " in ended.out


def test_a_trend_is_a_table_a_picture_and_a_date(tmp_path: Path) -> None:
    for number in range(12):
        run(tmp_path / "runs", number, 20.0 + number / 100 + 5.0 * (number >= 6))
    ended = lonjak("compare", "--trend", "runs", cwd=tmp_path)
    assert ended.code == ExitCode.PASS, ended.err
    *table, sentence, report = ended.out.replace("\u00a0", " ").splitlines()
    assert len(table) == 13
    assert sentence.startswith("p95 of all requests rose from 20 ms to 25 ms between 2026-11-23 08:")
    text = (tmp_path / report).read_text()
    assert "<svg" in text
    assert "NaN" not in text


@pytest.mark.parametrize("code", [ExitCode.FAIL, ExitCode.UNKNOWN])
def test_help_says_what_the_codes_mean(code: ExitCode) -> None:
    assert f"{'Exit code 1 is a regression' if code == 1 else '3 means that nothing can be said'}" in " ".join(
        lonjak("compare", "--help").out.split()
    )
