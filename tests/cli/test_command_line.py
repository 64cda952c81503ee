"""The command line as a shell sees it: exit codes, one sentence on stderr, nothing else on stdout."""

import json
import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from loadgen.exitcodes import ExitCode
from lonjak.__main__ import COMMANDS


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


def lonjak(*arguments: str, cwd: Path | None = None, **variables: str) -> Ended:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LONJAK_")}
    result = subprocess.run(
        [sys.executable, "-m", "lonjak", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        timeout=60,
        env=environment | variables,
    )
    return Ended(result.returncode, result.stdout, result.stderr)


@pytest.fixture
def no_stack(tmp_path: Path) -> dict[str, str]:
    return {"LONJAK_STATE_DIR": str(tmp_path / "state")}


@pytest.mark.parametrize("name", COMMANDS)
def test_no_command_imports_the_engine(name: str) -> None:
    program = (
        f"import sys, lonjak.commands.{name}; print([m for m in ('locust', 'gevent', 'scenarios') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"


def test_help_names_every_command_and_exit_code() -> None:
    ended = lonjak("--help")
    assert ended.code == 0
    assert [name for name in COMMANDS if f"  {name} " not in ended.out] == []
    said = " ".join(ended.out.split())
    assert [code for code in ExitCode if f"{code.value} {code.sentence}" not in said] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str) -> None:
    ended = lonjak(name, "--help")
    assert (ended.code, ended.err) == (0, "")


def test_scenarios_are_listed_with_their_descriptions() -> None:
    lines = lonjak("scenarios").out.splitlines()
    folder = Path(__file__).parents[2] / "scenarios"
    assert [line.split()[0] for line in lines] == sorted(path.stem for path in folder.glob("*.toml"))
    assert all(len(line.split()) > 3 for line in lines)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["dance"], "no command 'dance'; known: demo, run, ui"),
        (["run", "morning"], "no scenario 'morning'; known: cache-warm-up, cold-start, edge-lost, "),
        (["run", "evening", "--rate", "0", "--duration", "soon"], "--duration is 'soon', but must be a duration"),
        (["run", "evening", "--rate", "nan"], "--rate is 'nan', but must be a number"),
        (["run", "evening", "--target", "ftp://127.0.0.1"], "is not an http:// or https:// address"),
        (["run", "evening", "--target", "http://192.0.2.1:80"], "target 192.0.2.1 is not loopback"),
        (["run", "evening", "--speed", "3"], "No such option"),
        (["run", "missing.py"], "no locustfile missing.py"),
        (["report", "nowhere"], "nowhere is not a directory"),
    ],
)
def test_wrong_use_ends_with_2_and_says_why(arguments: list[str], sentence: str, tmp_path: Path) -> None:
    ended = lonjak(*arguments, cwd=tmp_path)
    assert ended.code == ExitCode.USAGE
    assert sentence in ended.err
    assert (ended.out, "Traceback" in ended.err, list(tmp_path.iterdir())) == ("", False, [])


def test_a_refused_target_may_come_in_by_the_environment_or_the_file(tmp_path: Path) -> None:
    assert lonjak("run", "evening", cwd=tmp_path, LONJAK_TARGET="http://192.0.2.1").code == ExitCode.USAGE
    (tmp_path / "mine.toml").write_text('target = "http://192.0.2.1"\n')
    ended = lonjak("run", "mine.toml", cwd=tmp_path)
    assert (ended.code, "not loopback" in ended.err) == (ExitCode.USAGE, True)


def test_all_problems_of_a_scenario_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('[load]\nrate_per_s = -1\nspeed = 2\n[objectives]\ntps = "> 5"\n')
    ended = lonjak("run", "mine.toml", cwd=tmp_path)
    assert ended.code == ExitCode.USAGE
    assert len(ended.err.splitlines()) == 3


def test_without_a_stack_the_way_to_start_one_is_told(no_stack: dict[str, str], tmp_path: Path) -> None:
    ended = lonjak("run", "evening", cwd=tmp_path, **no_stack)
    assert (ended.code, "lonjak shop up" in ended.err) == (ExitCode.ENVIRONMENT, True)


def test_a_target_that_is_down_is_told(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        ended = lonjak("run", "evening", "--target", f"http://127.0.0.1:{closed.getsockname()[1]}", cwd=tmp_path)
    assert ended.code == ExitCode.ENVIRONMENT
    assert "nothing answers at" in ended.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("manifest", ["", "{}", json.dumps({"schema_version": 99})])
def test_a_damaged_or_newer_run_is_refused_and_left_as_it_was(manifest: str, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(manifest)
    (tmp_path / "summary.json").write_text("mine")
    ended = lonjak("report", str(tmp_path))
    assert (ended.code, len(ended.err.splitlines())) == (ExitCode.USAGE, 1)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "manifest.json": manifest,
        "summary.json": "mine",
    }
