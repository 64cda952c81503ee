"""Studies of several kinds, each with a manifest of its own."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from loadgen.capacity_study import CAPACITY, CapacityManifest, CapacityRecord, SearchOptions, SearchStep, SetAside
from loadgen.errors import RunDirectoryProblem
from loadgen.studydir import StudyDirectory, is_study, kind_of

MANIFEST = CapacityManifest(
    scenario="evening",
    seed=7,
    target="http://127.0.0.1:8080",
    options=SearchOptions(5.0, 0.5, 100.0, 0.05, 0.95, 420.0, 1),
    searched=("failed_ratio < 0.01",),
    set_aside=(SetAside("orders.per_h >= 5", "it grows"),),
    started_at=1000.5,
    command="lonjak capacity evening",
    changed=("Its faults are left out (kill-worker).",),
)
STEP = SearchStep(0, 5.0, "bracket", 10, 15, 25, "holds", "it held", None, {"failed_ratio < 0.01": 0.0})
RECORD = CapacityRecord("at least", 5.0, 5.0, None, 0.95, "unseen", "The shop holds at least 5.", (STEP,))


def test_a_capacity_study_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    study = StudyDirectory(tmp_path)
    MANIFEST.write(study.manifest)
    RECORD.write(study.capacity)
    assert StudyDirectory.open(tmp_path).kind == CAPACITY
    assert (CapacityManifest.read(study.manifest), CapacityRecord.read(study.capacity)) == (MANIFEST, RECORD)
    assert study.part(MANIFEST.parts[0]).path == tmp_path / "parts" / "01-search"


def test_a_number_that_is_none_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        replace(RECORD, rate_per_s=float("nan")).write(tmp_path / "capacity.json")
    assert not (tmp_path / "capacity.json").exists()


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        ({"schema_version": 2}, "has format version 2"),
        ({"options": {}}, "is damaged"),
        ({"parts": [{"label": "../..", "outcome": "measured"}]}, "lies outside the study"),
        ({"unheard": 1}, "unknown keys unheard"),
    ],
)
def test_a_damaged_capacity_study_is_refused(tmp_path: Path, damage: dict[str, object], sentence: str) -> None:
    path = tmp_path / "manifest.json"
    MANIFEST.write(path)
    path.write_text(json.dumps(json.loads(path.read_text()) | damage))
    with pytest.raises(RunDirectoryProblem, match=sentence):
        StudyDirectory.open(tmp_path)


def test_a_kind_that_nobody_knows_is_no_study(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"kind": "astrology"}')
    assert (kind_of(tmp_path), is_study(tmp_path)) == (None, False)
    with pytest.raises(RunDirectoryProblem, match="names none of edge-compare, capacity"):
        StudyDirectory.open(tmp_path)
