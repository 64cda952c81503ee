import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from loadgen.control import ControlLine, ControlReader
from loadgen.errors import RunDirectoryProblem
from loadgen.manifest import Manifest, Plan
from loadgen.records import (
    CACHES_COLUMNS,
    ORIGIN_KEYS_COLUMNS,
    SAFETY_COLUMNS,
    SIGHTINGS_COLUMNS,
    Event,
    LedgerLine,
    RowWriter,
    append_line,
    read_lines,
    read_rows,
)
from loadgen.rundir import RunDirectory
from loadgen.units import format_duration, parse_duration

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
MANIFEST = Manifest(
    "evening", 1, "http://127.0.0.1:8080", "nginx", Plan("partly-open", 4, 60, 20, 10), 1e9, "lonjak run"
)


def test_a_ledger_line_reads_as_written(tmp_path: Path) -> None:
    line = LedgerLine(1.5, "place_order", "unknown", 7, "key-1", None, 45_000, ((3, 2),), "timed out")
    with (tmp_path / "ledger.jsonl").open("w") as file:
        append_line(file, line.as_json())
        append_line(file, Event(2.0, "warning", {"text": "x"}).as_json())
        file.write('{"torn')
    lines = list(read_lines(tmp_path / "ledger.jsonl"))
    assert LedgerLine.from_json(lines[0]) == line
    assert Event.from_json(lines[1]) == Event(2.0, "warning", {"text": "x"})
    assert len(lines) == 2


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_text("{}\nnonsense\n{}\n")
    with pytest.raises(RunDirectoryProblem, match=r"events.jsonl is damaged at line 2"):
        list(read_lines(tmp_path / "events.jsonl"))


def test_rows_read_as_written_and_a_torn_one_is_dropped(tmp_path: Path) -> None:
    writer = RowWriter(tmp_path / "rows.csv", ("elapsed_s", "name", "count"))
    writer.write({"elapsed_s": 1, "name": 'a,"b"'})
    writer.close()
    with (tmp_path / "rows.csv").open("a") as file:
        file.write("2,torn")
    rows = list(read_rows(tmp_path / "rows.csv", ("elapsed_s", "name", "count")))
    assert rows == [{"elapsed_s": "1", "name": 'a,"b"', "count": "0"}]


def test_a_run_directory_is_named_after_scenario_and_instant(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path, "evening", NOON)
    assert run.path == tmp_path / "evening" / "20261123T120000Z"
    assert RunDirectory.create(tmp_path, "evening", NOON).path.name == "20261123T120000Z-2"
    assert RunDirectory.create(tmp_path, "../../etc", NOON).path.parent.parent == tmp_path


def test_a_manifest_reads_as_written(tmp_path: Path) -> None:
    MANIFEST.write(tmp_path / "manifest.json")
    assert Manifest.read(tmp_path / "manifest.json") == MANIFEST
    assert RunDirectory.open(tmp_path).path == tmp_path


def test_a_manifest_says_which_edge_and_which_points_of_presence(tmp_path: Path) -> None:
    manifest = replace(
        MANIFEST,
        targets=("http://127.0.0.1:8080", "http://127.0.0.1:8081"),
        edge="two-tier",
        edge_options={"tls": True, "waf": 0, "rate_limit_per_s": None, "origin_rtt_ms": 40.0, "purge": "key"},
        caches=("lonjak-shield", "lonjak-pop-1", "lonjak-pop-2"),
    )
    manifest.write(tmp_path / "manifest.json")
    assert Manifest.read(tmp_path / "manifest.json") == manifest


def test_a_manifest_of_before_names_one_target_and_no_caches(tmp_path: Path) -> None:
    MANIFEST.write(tmp_path / "manifest.json")
    values = json.loads((tmp_path / "manifest.json").read_text())
    old = {name: value for name, value in values.items() if name not in ("targets", "edge_options", "caches")}
    (tmp_path / "manifest.json").write_text(json.dumps(old))
    assert Manifest.read(tmp_path / "manifest.json") == MANIFEST
    assert (MANIFEST.targets, MANIFEST.edge_options, MANIFEST.caches) == ((), {}, ())


@pytest.mark.parametrize("name", ["caches.csv", "sightings.csv", "safety.csv", "origin_keys.csv"])
def test_a_run_of_before_has_no_rows_of_caches(tmp_path: Path, name: str) -> None:
    run = RunDirectory(tmp_path)
    columns = {
        run.caches: CACHES_COLUMNS,
        run.sightings: SIGHTINGS_COLUMNS,
        run.safety: SAFETY_COLUMNS,
        run.origin_keys: ORIGIN_KEYS_COLUMNS,
    }
    assert list(read_rows(tmp_path / name, columns[tmp_path / name])) == []


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "cannot be read"),
        ("[]", "it holds no JSON object"),
        ('{"schema_version": NaN}', "NaN is no number"),
        ('{"schema_version": 2}', "has format version 2; this version reads 1 only"),
        ('{"schema_version": 1}', "is damaged"),
    ],
)
def test_a_damaged_or_foreign_run_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(RunDirectoryProblem, match=sentence):
        RunDirectory.open(tmp_path)


def test_control_lines_are_obeyed_once_and_whole(tmp_path: Path) -> None:
    path = tmp_path / "control.jsonl"
    reader = ControlReader(path)
    assert list(reader.poll()) == []
    path.write_text('{"set_rate": 5}\n{"phase": "peak"}\n{"sto')
    assert list(reader.poll()) == [ControlLine(set_rate_per_s=5.0), ControlLine(phase="peak")]
    path.write_text('{"set_rate": 5}\n{"phase": "peak"}\n{"stop": true}\n{"set_rate": -1}\n')
    stop, wrong = reader.poll()
    assert stop == ControlLine(stop=True)
    assert wrong.problem is not None
    assert wrong.problem.startswith("not a control line")


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("2m", 120), ("1h30m", 5400), ("250ms", 0.25), (5, 5), ("5", 5)]
)
def test_durations_read_as_people_write_them(text: str | float, seconds: float) -> None:
    assert parse_duration(text) == seconds
    assert parse_duration(format_duration(seconds)) == seconds


@pytest.mark.parametrize("text", ["", "fast", "-1s", "1 hour", float("nan"), -3, True])
def test_other_durations_are_refused(text: str | float) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        parse_duration(text)
