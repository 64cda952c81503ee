"""How a stack ends: told to, with its owner, with its supervisor, or before it ever was ready."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import asyncpg  # type: ignore[import-untyped,unused-ignore]  # published without types
import psutil
import pytest
import requests

from reference_shop.stack import binaries, client, ports
from reference_shop.stack.database import EmbeddedDatabase, new_password, schema_for
from reference_shop.stack.folder import StackFolder, claim
from reference_shop.stack.identity import ProcessIdentity
from reference_shop.stack.leftovers import wait_until_gone
from reference_shop.stack.problems import StackProblem, StartFailed
from reference_shop.stack.readiness import accepts_sessions
from reference_shop.stack.service import Service, run_to_end
from reference_shop.stack.settings import StackSettings, default_run_as
from tests.stack.conftest import eventually, port_of, silent, small, stack_in

Start = Callable[[StackSettings], Path]


def family_of(folder: Path) -> list[ProcessIdentity]:
    """The supervisor and all below it, database sessions and nginx workers too."""
    supervisor = psutil.Process(stack_in(folder).supervisor.pid)
    return [ProcessIdentity.of_child(member.pid) for member in (supervisor, *supervisor.children(recursive=True))]


def test_a_stopped_stack_leaves_neither_process_nor_folder(start: Start) -> None:
    folder = start(small())
    family = family_of(folder)
    assert client.stop(port_of(folder)) == [f"the stack on port {port_of(folder)} is stopped"]
    assert [member for member in family if member.alive] == []
    assert not folder.exists()


def test_processes_die_with_a_killed_supervisor_and_down_takes_the_rest_away(start: Start) -> None:
    folder = start(small())
    family = family_of(folder)
    os.kill(stack_in(folder).supervisor.pid, signal.SIGKILL)
    assert wait_until_gone(family, 10)
    assert folder.exists()
    (sentence,) = client.stop(port_of(folder))
    assert sentence.startswith(f"the stack on port {port_of(folder)} had lost its supervisor")
    assert not folder.exists()


def test_a_stack_may_start_where_a_killed_one_left_its_folder(start: Start) -> None:
    folder = start(small())
    os.kill(stack_in(folder).supervisor.pid, signal.SIGKILL)
    eventually(lambda: not _taken(port_of(folder)))
    assert start(small(port=port_of(folder))) == folder


def test_a_stack_ends_with_its_owner(state_dir: Path) -> None:
    with subprocess.Popen(["sleep", "600"]) as owner:
        folder = client.start(small(), silent, owner_pid=owner.pid).parent
        family = family_of(folder)
        owner.kill()
    assert wait_until_gone(family, 15)
    assert not folder.exists()


def test_an_interrupted_start_leaves_nothing(state_dir: Path) -> None:
    def interrupt(_progress: object) -> None:
        raise KeyboardInterrupt

    before = set(state_dir.glob("stack-*"))
    with pytest.raises(KeyboardInterrupt):
        client.start(small(), interrupt)
    assert set(state_dir.glob("stack-*")) == before


def test_a_process_that_dies_at_its_start_is_named_with_its_log_and_all_is_stopped(
    state_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "nginx"
    broken.write_text("#!/bin/sh\necho 'no space left for wisdom' >&2\nexit 3\n")
    for path in (broken, tmp_path, tmp_path.parent, tmp_path.parent.parent):
        path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    before = set(state_dir.glob("stack-*"))
    with pytest.raises(StartFailed) as caught:
        client.start(small(edge="nginx"), silent)
    assert caught.value.sentence == "edge ended with exit code 3 while it started"
    assert caught.value.log_tail == ("no space left for wisdom",)
    assert set(state_dir.glob("stack-*")) == before


@pytest.fixture
def folder(state_dir: Path) -> StackFolder:
    return claim(state_dir, 1, default_run_as(), lambda _path: None)


def test_somebody_elses_database_gets_a_schema_of_ours_and_keeps_its_own(folder: StackFolder, start: Start) -> None:
    database = EmbeddedDatabase(
        programs=binaries.reachable(binaries.installed(), folder.path.parent, folder.run_as),
        folder=folder,
        port=ports.number_of(reserved := ports.reserve()),
        password=new_password(),
        cpu_set=(),
        workers=2,
    )

    async def schemas() -> list[str]:
        session = await asyncpg.connect(database.url)
        rows = await session.fetch("select nspname from pg_namespace where nspname !~ '^(pg_|information)' order by 1")
        await session.close()
        return [row["nspname"] for row in rows]

    async def use() -> tuple[list[str], list[str], str]:
        async def nothing(_child: object) -> None: ...

        await run_to_end(database.creation(), nothing)
        service = Service(database.server(), accepts_sessions(database.url), lambda: None)
        try:
            await service.start()
            stack = await asyncio.to_thread(start, small(database_url=database.url))
            home = await asyncio.to_thread(requests.get, stack_in(stack).url, timeout=10)
            during = await schemas()
            await asyncio.to_thread(client.stop, port_of(stack))
            return during, await schemas(), schema_for(port_of(stack)) if home.status_code == 200 else home.reason
        finally:
            await service.stop()

    try:
        during, after, schema = asyncio.run(use())
    finally:
        reserved.close()
        folder.remove()
    assert (during, after) == ([schema, "public"], ["public"])


def test_a_database_that_does_not_answer_is_one_sentence_without_its_password() -> None:
    with ports.reserve() as nobody:
        port = ports.number_of(nobody)
        url = f"postgresql://shop:secret@127.0.0.1:{port}/shop"
        with pytest.raises(StackProblem) as caught:
            client.start(small(database_url=url), silent)
    sentence = str(caught.value)
    assert sentence.startswith(f"the database at 127.0.0.1:{port}/shop cannot be used: ")
    assert "secret" not in sentence


def _taken(port: int) -> bool:
    try:
        ports.check_free(port)
    except StackProblem:
        return True
    return False
