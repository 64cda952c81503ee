"""The bench as it is called: what it hands back, and that nothing of it is left. Never how fast anything was."""

import json
import signal
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from loadgen.exitcodes import ExitCode
from tests.e2e.conftest import Place, wait_until

SHORT = ("--rounds", "1", "--duration", "1")
ALL_AT_WORK = 4  # the bench, nginx and its worker, a contender


@dataclass
class Traces:
    """Of a bench whose temporary folders all lie in `folder`; nginx keeps no environment, but works in one of them."""

    folder: Path

    def processes(self) -> list[psutil.Process]:
        return [process for process in psutil.process_iter() if self._knows(process)]

    def any_left(self) -> bool:
        return bool(self.processes() or list(self.folder.glob("lonjak-bench-*")))

    def _knows(self, process: psutil.Process) -> bool:
        try:
            told = process.environ().get("TMPDIR", "")
            return str(self.folder) in (told, str(Path(process.cwd()).parent))
        except psutil.Error:
            return False


@pytest.fixture
def traces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Traces:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return Traces(tmp_path)


def test_the_rates_of_all_contenders_are_measured(place: Place, traces: Traces) -> None:
    ended = place.run("bench", "--only", "plain", "--json", *SHORT)
    assert ended.returncode == ExitCode.PASS, ended.stderr
    section = json.loads(ended.stdout)["sections"]["plain"]
    found = {row["contender"]: row["rounds"] for row in section["rows"]}
    assert list(found)[:3] == ["Lonjak", "FastHttpUser", "HttpUser"]
    assert [name for name, rounds in found.items() if rounds[0]["request_count"] <= 0] == []
    (recording,) = section["recordings"]
    assert recording["recorded_count"] == recording["served_count"] > 0
    assert not traces.any_left()


def test_waiting_shoppers_are_weighed(place: Place, traces: Traces) -> None:
    ended = place.run("bench", "--only", "memory", "--shoppers", "200", "--json")
    assert ended.returncode == ExitCode.PASS, ended.stderr
    rows = json.loads(ended.stdout)["sections"]["memory"]["rows"]
    assert [row["shopper_count"] for row in rows][:3] == [200, 200, 200]
    assert not traces.any_left()


def test_an_interrupted_bench_leaves_nothing_behind(place: Place, traces: Traces) -> None:
    with place.start("bench", "--only", "plain", *SHORT) as process:
        at_work = wait_until(lambda: len(traces.processes()) >= ALL_AT_WORK, 20)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert at_work
    assert process.returncode == ExitCode.INTERRUPTED
    assert not traces.any_left()


def test_a_killed_bench_leaves_no_process_behind(place: Place, traces: Traces) -> None:
    with place.start("bench", "--only", "plain", *SHORT) as process:
        at_work = wait_until(lambda: len(traces.processes()) >= ALL_AT_WORK, 20)
        process.kill()
        process.communicate(timeout=30)
    assert at_work
    assert wait_until(lambda: not traces.processes(), 10)
