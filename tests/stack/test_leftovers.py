"""Leftovers of a killed supervisor, played by `sleep`."""

import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from reference_shop.stack import leftovers
from reference_shop.stack.document import ProcessRecord, StackDocument
from reference_shop.stack.identity import ProcessIdentity, myself

Sleeper = subprocess.Popen[bytes]


@pytest.fixture
def sleeper() -> Iterator[Sleeper]:
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as process:
        yield process
        process.kill()


def record(process: ProcessIdentity) -> ProcessRecord:
    return ProcessRecord("edge", "edge", process.pid, process.start_time, 1, (), "log", "always", 0, True)


def write(folder: Path, *records: ProcessRecord) -> None:
    StackDocument(
        state="ready",
        url="http://127.0.0.1:1",
        edge="direct",
        port=1,
        started_at=0.0,
        products=1,
        seed=1,
        workers=1,
        supervisor=replace(myself(), start_time=1),
        owner=None,
        ops_url="",
        ops_token="",
        cpu_sets={},
        processes=records,
    ).write(folder)


def test_a_listed_process_is_ended(tmp_path: Path, sleeper: Sleeper) -> None:
    write(tmp_path, record(ProcessIdentity.of_child(sleeper.pid)))
    assert leftovers.clear(tmp_path) == 1
    assert sleeper.wait(timeout=30) == -signal.SIGTERM


def test_a_process_that_got_the_same_pid_later_is_left_alone(tmp_path: Path, sleeper: Sleeper) -> None:
    write(tmp_path, replace(record(ProcessIdentity.of_child(sleeper.pid)), start_time=1))
    assert leftovers.clear(tmp_path) == 0
    assert sleeper.poll() is None


def test_what_is_left_of_a_dead_process_group_is_ended(tmp_path: Path) -> None:
    """As the workers of an nginx whose master was killed."""
    script = "sleep 60 & echo $!; wait"
    with subprocess.Popen(["sh", "-c", script], start_new_session=True, stdout=subprocess.PIPE) as leader:
        assert leader.stdout is not None
        orphan = ProcessIdentity.of_child(int(leader.stdout.readline()))
        write(tmp_path, record(ProcessIdentity.of_child(leader.pid)))
        os.kill(leader.pid, signal.SIGKILL)
        leader.wait()
        assert leftovers.clear(tmp_path) == 1
        assert not orphan.alive


def test_a_process_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    script = "trap '' TERM; echo deaf; while :; do sleep 1; done"
    with subprocess.Popen(["sh", "-c", script], start_new_session=True, stdout=subprocess.PIPE) as deaf:
        assert deaf.stdout is not None
        deaf.stdout.readline()
        write(tmp_path, record(ProcessIdentity.of_child(deaf.pid)))
        leftovers.clear(tmp_path)
        assert deaf.wait(timeout=30) == -signal.SIGKILL


def test_a_damaged_document_ends_nothing(tmp_path: Path) -> None:
    (tmp_path / "stack.json").write_text('{"schema_version": 1, "proc')
    assert leftovers.clear(tmp_path) == 0
