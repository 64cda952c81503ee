"""`lonjak run` ends with what its verdict says, and every document of the run says the same."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from loadgen.exitcodes import ExitCode
from loadgen.rundir import RunDirectory
from tests.engine.counting_server import CountingServer, counting_server
from tests.engine.test_runs import FILES

HELD = '[objectives]\nfailed_ratio = "< 0.5"\n'
MISSED = '[objectives]\nfailed_ratio = "< 0.5"\n"response_time_ms.all.max" = "< 0.001"\n'
TRIES = 3  # for the machine's own noise, which leaves a run without a verdict


@pytest.fixture
def server() -> Iterator[CountingServer]:
    with counting_server() as running:
        yield running


def run(folder: Path, server: CountingServer, file: str, objectives: str) -> "subprocess.CompletedProcess[str]":
    (folder / "objectives.toml").write_text(objectives)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("LOCUST", "LONJAK"))}
    arguments = [str(FILES / file), "--target", server.url, "--users", "4", "--duration", "4s"]
    return subprocess.run(
        [sys.executable, "-m", "lonjak", "run", *arguments, "--objectives", "objectives.toml"],
        cwd=folder,
        env=environment | {"GITHUB_STEP_SUMMARY": str(folder / "page.md"), "LONJAK_STATE_DIR": str(folder / "state")},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("file", "objectives", "expected"),
    [
        ("foreign.py", HELD, (ExitCode.PASS, "pass", "✅ Pass", {"failures": "0", "errors": "0"})),
        ("foreign.py", MISSED, (ExitCode.FAIL, "fail", "❌ Fail", {"failures": "1", "errors": "0"})),
        ("burning.py", HELD, (ExitCode.UNKNOWN, "unknown", "❔ No verdict", {"failures": "0", "errors": "1"})),
    ],
)
def test_the_exit_code_and_the_documents_say_the_same(
    tmp_path: Path,
    server: CountingServer,
    file: str,
    objectives: str,
    expected: tuple[ExitCode, str, str, dict[str, str]],
) -> None:
    code, verdict, title, counts = expected
    for _ in range(TRIES):
        (tmp_path / "page.md").unlink(missing_ok=True)
        ended = run(tmp_path, server, file, objectives)
        assert ended.stdout, ended.stderr
        drawn = RunDirectory(tmp_path / Path(ended.stdout.splitlines()[-1]).parent)
        if ended.returncode == code or json.loads(drawn.verdict.read_text())["cause"] != "generator":
            break
    assert ended.returncode == code, ended.stdout + ended.stderr
    assert ended.stdout.startswith(f"{verdict}: ")
    assert json.loads(drawn.verdict.read_text())["verdict"] == verdict
    suite = ET.parse(drawn.junit).getroot().find("testsuite")
    assert suite is not None
    assert {name: suite.get(name) for name in counts} == counts
    summary = drawn.summary_md.read_text()
    assert title in summary.splitlines()[0]
    assert (tmp_path / "page.md").read_text() == f"{summary}\n"
    assert f">{title.split(' ', 1)[1]}<" in drawn.report.read_text()
