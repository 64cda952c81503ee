"""Workers that cannot be understood are refused before anything is sent: real masters, real workers, a real server."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadgen.messages import Version
from tests.engine.counting_server import CountingServer, counting_server
from tests.engine.scripted_shop import eventually
from tests.engine.test_runs import LIMIT_S, Locust, Web, free_port, locust, scenario

__all__ = ["locust"]

OWN = Version.own()
SAME = (Path(__file__).parent / "locustfiles" / "shoppers.py").read_text()
# What each kind of worker runs.
WORKERS = {
    "a later one": f"from loadgen import messages\nmessages.WIRE_VERSION += 1\n{SAME}",
    "an older one": f"""
import importlib.metadata
real = importlib.metadata.version
importlib.metadata.version = lambda name: "0.0.1" if name == "lonjak" else real(name)
{SAME}""",
    "one from before versions": f"""
import dataclasses
from loadgen import messages
@dataclasses.dataclass
class OldHello:
    sent_at: float
messages.Hello.now = lambda: OldHello(1.0)
{SAME}""",
    "one without Lonjak": "import locust\nclass Shoppers(locust.User): pass\n",
}
SENTENCES = {
    "a later one": f"runs Lonjak {OWN.lonjak} (messages {OWN.wire + 1}), but this master runs {OWN}: nothing was sent",
    "an older one": f"runs Lonjak 0.0.1 (messages {OWN.wire}), but this master runs {OWN}: nothing was sent",
    "one from before versions": f"runs a Lonjak too old to say its version, but this master runs {OWN}: nothing",
    "one without Lonjak": "did not introduce itself within 2 s: nothing was sent; start it with the master's",
}


@pytest.fixture
def server() -> Iterator[CountingServer]:
    with counting_server() as running:
        yield running


class Workers:
    """Workers of a master on this machine, each with a locustfile of its own."""

    def __init__(self, folder: Path, port: int) -> None:
        self.port = port
        self._folder = folder
        self._running: list[subprocess.Popen[bytes]] = []

    def join(self, locustfile: str) -> "subprocess.Popen[bytes]":
        path = self._folder / f"worker-{len(self._running)}.py"
        path.write_text(locustfile)
        command = [sys.executable, "-m", "locust", "-f", str(path), "--worker", "--master-port", str(self.port)]
        nowhere = subprocess.DEVNULL
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("LOCUST", "LONJAK"))}
        process = subprocess.Popen(
            command, cwd=self._folder, env=environment, stdin=nowhere, stdout=nowhere, stderr=nowhere
        )
        self._running.append(process)
        return process

    def end(self) -> None:
        for process in self._running:
            process.kill()
            process.wait()


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Workers]:
    starting = Workers(tmp_path, free_port())
    yield starting
    starting.end()


@pytest.mark.parametrize("kind", WORKERS)
def test_a_run_does_not_begin_with_a_worker_of_another_version(
    locust: Locust, workers: Workers, server: CountingServer, kind: str
) -> None:
    given = ["--host", server.url, "--scenario", scenario(locust.folder), "--master", "--expect-workers", "2"]
    master = locust.start(*given, "--master-bind-port", str(workers.port))
    strange, right = workers.join(WORKERS[kind]), workers.join(SAME)
    assert master.wait(LIMIT_S) == 4, locust.stderr
    [line] = [line for line in locust.stderr.splitlines() if line.startswith("lonjak: worker ")]
    assert SENTENCES[kind] in line
    assert "Traceback" not in locust.stderr
    assert (strange.wait(LIMIT_S), right.wait(LIMIT_S)) == (0, 0)  # they were sent home
    assert server.served().count == 0
    assert list(locust.folder.glob("runs")) == []


def test_a_worker_that_waited_for_its_master_is_turned_away_with_all_others(
    locust: Locust, workers: Workers, server: CountingServer
) -> None:
    strange = workers.join(WORKERS["an older one"])
    eventually(lambda: has_sockets(strange.pid), LIMIT_S)
    given = ["--host", server.url, "--scenario", scenario(locust.folder), "--master", "--expect-workers", "2"]
    master = locust.start(*given, "--master-bind-port", str(workers.port))
    right = workers.join(SAME)
    assert master.wait(LIMIT_S) == 4, locust.stderr
    assert (strange.wait(LIMIT_S), right.wait(LIMIT_S)) == (0, 0)


def has_sockets(pid: int) -> bool:
    """Whether a process has begun to connect: ZeroMQ's threads are there."""
    return sum(1 for _ in Path(f"/proc/{pid}/task").iterdir()) > 1


def test_the_web_ui_refuses_until_the_right_workers_are_there(
    locust: Locust, workers: Workers, server: CountingServer
) -> None:
    port = free_port()
    given = ["--host", server.url, "--scenario", scenario(locust.folder, 20.0), "--web-port", str(port)]
    locust.start(*given, "--master", "--master-bind-port", str(workers.port), headless=False)
    strange, web = workers.join(WORKERS["a later one"]), Web(port)
    eventually(web.listens, LIMIT_S)
    form = {"user_count": "500", "spawn_rate": "1", "host": server.url}
    eventually(lambda: web.post("/swarm", form)[0] == 503, LIMIT_S)
    assert SENTENCES["a later one"] in web.post("/swarm", form)[1]["message"]
    assert server.served().count == 0
    strange.terminate()
    strange.wait(LIMIT_S)
    workers.join(SAME)
    eventually(lambda: web.post("/swarm", form)[1]["success"] and any(locust.folder.glob("runs/*/*")), LIMIT_S)
    eventually(lambda: server.served().count > 10, LIMIT_S)
