"""The sample report: whole, of a run that passed, and of nobody's machine."""

import json
import re
import socket
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from loadgen.errors import EnvironmentProblem
from lonjak import sample_report
from lonjak.sample_report import DOCUMENTS, FOLDER
from tests.recorded_run import ordinary


def test_the_sample_is_whole_and_passed() -> None:
    assert sorted(path.name for path in FOLDER.iterdir()) == sorted(DOCUMENTS)
    assert json.loads((FOLDER / "verdict.json").read_text())["verdict"] == "pass"
    suite = ET.parse(FOLDER / "junit.xml").getroot().find("testsuite")
    assert suite is not None
    assert (suite.get("failures"), suite.get("errors")) == ("0", "0")
    assert (FOLDER / "summary.md").read_text().startswith("## ✅ Pass: evening")
    assert (FOLDER / "report.html").stat().st_size < 2_000_000


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_sample_names_no_path_and_no_port_of_the_machine_that_made_it(name: str) -> None:
    text = re.sub(r"data:[^\"')]*", "", (FOLDER / name).read_text(encoding="utf-8"))
    assert re.findall(r"(?:/tmp|/home|/root|/work|/var|/Users)/", text) == []
    assert set(re.findall(r"127\.0\.0\.1:\d+", text)) <= {"127.0.0.1:8080"}


def test_a_run_is_drawn_without_what_is_this_machines_own(tmp_path: Path) -> None:
    history = ordinary()
    host: dict[str, str | int | float] = {"name": socket.gethostname(), "system": "Linux 6.1", "cpu_count": 2}
    history.manifest = replace(
        history.manifest, host=host, target="http://127.0.0.1:49152", commit="abc", command="lonjak demo --out /tmp/x"
    )
    sample_report.make(history.write(tmp_path / "runs"), tmp_path / "sample")
    assert sorted(path.name for path in (tmp_path / "sample").iterdir()) == sorted(DOCUMENTS)
    page = (tmp_path / "sample" / "report.html").read_text()
    assert [word for word in ("49152", "Linux 6.1", "/tmp/x", "abc</dd>") if word in page] == []
    assert "lonjak demo --seed 7" in page


def test_a_name_of_this_machine_keeps_the_sample_as_it_was(tmp_path: Path) -> None:
    history = ordinary()
    history.manifest = replace(history.manifest, scenario=f"at {socket.gethostname()}")
    with pytest.raises(EnvironmentProblem, match="which is this machine's own"):
        sample_report.make(history.write(tmp_path / "runs"), tmp_path / "sample")
    assert not (tmp_path / "sample").exists()
