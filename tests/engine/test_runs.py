"""Whole runs of real Locust processes against a real server: nothing that was sent is missing, nothing is made up."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gevent
import pytest
import requests
from gevent.socket import create_connection

from loadgen.config import Load
from loadgen.hlog import read_hlog
from loadgen.manifest import Manifest
from loadgen.pacing import poisson_arrivals
from loadgen.records import COUNTERS_COLUMNS, FUNNEL_COLUMNS, TIERS_COLUMNS, Event, read_lines, read_rows
from loadgen.rundir import RunDirectory
from tests.engine.dummy_stack import DummyStack
from tests.engine.scripted_shop import ScriptedShop, eventually

FILES = Path(__file__).parent / "locustfiles"
PLUGIN = Path(sys.modules["loadgen"].__path__[0]) / "plugin.py"
DOOR = FILES.parents[2] / "scenarios" / "door.py"
RATE_PER_S, SEED = 25.0, 3
LIMIT_S = 90.0  # a busy machine needs a while; what ends sooner is not waited for


def planned_count(duration_s: float) -> int:
    return len(list(poisson_arrivals(Load(rate_per_s=RATE_PER_S, duration_s=duration_s).rate, SEED)))


class Locust:
    """Starts Locust with a locustfile in a folder of the test's own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._running: list[subprocess.Popen[str]] = []

    def start(
        self,
        *arguments: str,
        locustfile: str = "shoppers.py",
        headless: bool = True,
        file_limit_bytes: int = resource.RLIM_INFINITY,
    ) -> "subprocess.Popen[str]":
        own = {"shoppers.py": FILES / locustfile, "door.py": DOOR}
        files = str(own.get(locustfile) or f"{PLUGIN},{FILES / locustfile}")
        command = [sys.executable, "-m", "locust", "-f", files, *(["--headless"] if headless else []), *arguments]
        if "--processes" in arguments:
            port = str(free_port())
            command += ["--master-bind-port", port, "--master-port", port]
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("LOCUST", "LONJAK"))}
        environment["LONJAK_STATE_DIR"] = str(self.folder / "state")
        with (self.folder / "stderr").open("w") as stderr:
            process = subprocess.Popen(
                [*command, "--only-summary"],
                cwd=self.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                text=True,
            )
        if file_limit_bytes != resource.RLIM_INFINITY:
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (file_limit_bytes, file_limit_bytes))
        self._running.append(process)
        return process

    def run(self, *arguments: str, locustfile: str = "shoppers.py") -> int:
        return self.start(*arguments, locustfile=locustfile).wait(LIMIT_S)

    @property
    def stderr(self) -> str:
        return (self.folder / "stderr").read_text()

    def end(self) -> None:
        for process in self._running:
            process.kill()
            process.wait()


@pytest.fixture
def locust(tmp_path: Path) -> Iterator[Locust]:
    starting = Locust(tmp_path)
    yield starting
    starting.end()


def scenario(folder: Path, duration_s: float = 2.0, more: str = "") -> str:
    path = folder / "tiny.toml"
    path.write_text(
        f'[load]\nrate_per_s = {RATE_PER_S}\nduration = "{duration_s}s"\ndrain = "3s"\nseed = {SEED}\n'
        f'[objectives]\nfailed_ratio = "< 0.01"\n{more}'
    )
    return str(path)


def only_run(folder: Path) -> RunDirectory:
    [path] = folder.glob("runs/*/*")
    return RunDirectory.open(path)


def requests_by_kind(run: RunDirectory) -> Counter[str]:
    counts: Counter[str] = Counter()
    for row in read_rows(run.counters, COUNTERS_COLUMNS):
        counts[row["page_kind"]] += int(row["request_count"])
    return +counts


def timed(run: RunDirectory) -> int:
    return sum(line.histogram.count for line in read_hlog(run.hlog) if line.tag.measure == "service_time")


def funnel(run: RunDirectory) -> Counter[str]:
    sums: Counter[str] = Counter()
    for row in read_rows(run.funnel, FUNNEL_COLUMNS):
        sums.update({name: float(row[name]) for name in FUNNEL_COLUMNS[2:]})  # type: ignore[misc]
    return sums


def events(run: RunDirectory, *kinds: str) -> list[Event]:
    return [event for event in map(Event.from_json, read_lines(run.events)) if event.kind in kinds]


def wait_for_events(locust: Locust, kind: str, name: str = "") -> RunDirectory:
    def seen() -> bool:
        for path in locust.folder.glob("runs/*/*"):
            run = RunDirectory(path)
            if any(name in str(event.detail) for event in events(run, kind)):
                return True
        return False

    eventually(seen, LIMIT_S)
    return only_run(locust.folder)


@pytest.mark.parametrize("processes", [[], ["--processes", "2"]], ids=["alone", "two workers"])
def test_a_run_records_exactly_what_was_planned_and_sent(
    locust: Locust, shop: ScriptedShop, processes: list[str]
) -> None:
    code = locust.run("--host", shop.url, "--scenario", scenario(locust.folder), *processes)
    assert code == 0, locust.stderr
    run, planned = only_run(locust.folder), planned_count(2.0)
    assert dict(shop.counts) == {"/product/1": planned, "/cart": planned}
    assert requests_by_kind(run) == {"product": planned, "cart": planned}
    assert timed(run) == 2 * planned
    sums = funnel(run)
    assert (sums["arrived_count"], sums["finished_count"], sums["cart_count"]) == (planned, planned, planned)
    manifest = Manifest.read(run.manifest)
    assert (manifest.complete, manifest.interrupted, manifest.seed) == (True, False, SEED)
    assert manifest.plan.duration_s == 2.0
    assert len(manifest.workers) == max(1, len(processes))
    assert [event.detail["name"] for event in events(run, "phase")] == ["steady", "drain"]
    assert len(events(run, "run_started", "arrivals_ended", "run_stopped", "run_ended")) == 4
    assert {row["tier"] for row in read_rows(run.tiers, TIERS_COLUMNS)} == {"generator"}
    assert all(visitor.startswith("127.") and visitor != "127.0.0.1" for visitor in shop.visitors)


@pytest.mark.parametrize("processes", [[], ["--processes", "2"]], ids=["alone", "two workers"])
def test_a_foreign_locustfile_gives_a_full_run(locust: Locust, shop: ScriptedShop, processes: list[str]) -> None:
    arguments = ["--host", shop.url, "-u", "4", "-r", "4", "-t", "2s", *processes]
    assert locust.run(*arguments, locustfile="foreign.py") == 0, locust.stderr
    run = only_run(locust.folder)
    assert run.path.parent.name == "foreign"
    assert requests_by_kind(run) == {"/hello": shop.counts["/hello"], "the-world-yes": shop.counts["/world"]}
    assert timed(run) == shop.count > 20
    manifest = Manifest.read(run.manifest)
    assert (manifest.complete, manifest.interrupted, manifest.foreign_locustfile) == (True, False, "foreign.py")


def test_a_redirect_to_a_foreign_host_ends_the_run_with_two(locust: Locust, shop: ScriptedShop) -> None:
    arguments = ["--host", shop.url, "-u", "1", "-r", "1", "-t", "20s", "--processes", "1"]
    assert locust.run(*arguments, locustfile="wandering.py") == 2
    assert "lonjak: 10.1.2.3 is neither loopback" in locust.stderr
    run = only_run(locust.folder)
    sentence = "10.1.2.3 is neither loopback nor an address of a host given by --allow-host: nothing was sent"
    refused = {(event.detail["host"], event.detail["reason"]) for event in events(run, "target_refused")}
    assert refused == {("10.1.2.3", sentence)}
    rows = list(read_rows(run.counters, COUNTERS_COLUMNS))
    assert sum(int(row["failed_refused_count"]) for row in rows) == sum(int(row["request_count"]) for row in rows) > 0


PROBLEMS: dict[str, tuple[list[str], int, str]] = {
    "a foreign host": (["--host", "http://10.1.2.3"], 2, "target 10.1.2.3 is not loopback: nothing was sent"),
    "nobody there": (["--host", "http://127.0.0.1:1"], 4, "nothing answers at http://127.0.0.1:1"),
    "no host": ([], 4, "lonjak shop up"),
    "no such scenario": (["--scenario", "nope"], 2, "no scenario 'nope'; known:"),
    "no number": (["--rate", "fast"], 2, "--rate is 'fast', but must be a number"),
}


@pytest.mark.parametrize(("arguments", "code", "sentence"), PROBLEMS.values(), ids=PROBLEMS)
def test_what_a_user_got_wrong_is_one_sentence(locust: Locust, arguments: list[str], code: int, sentence: str) -> None:
    began = time.monotonic()
    assert locust.run("--scenario", scenario(locust.folder), *arguments) == code
    assert time.monotonic() - began < 5 + 15  # the target is given up within five; starting takes its time here
    [line] = [line for line in locust.stderr.splitlines() if line.startswith("lonjak: ")]
    assert sentence in line
    assert "Traceback" not in locust.stderr
    assert list(locust.folder.glob("runs")) == []


@pytest.mark.parametrize("processes", [[], ["--processes", "2"]], ids=["alone", "two workers"])
@pytest.mark.parametrize("locustfile", ["shoppers.py", "foreign.py"])
def test_a_disk_that_fills_ends_the_run_in_order(
    locust: Locust, shop: ScriptedShop, processes: list[str], locustfile: str
) -> None:
    own = locustfile == "shoppers.py"
    plan = ["--scenario", scenario(locust.folder, 60.0)] if own else ["-u", "4", "-r", "4", "-t", "60s"]
    process = locust.start("--host", shop.url, *plan, *processes, locustfile=locustfile, file_limit_bytes=7000)
    assert process.wait(LIMIT_S) == 4, locust.stderr  # every file that would grow beyond the limit fails to be written
    [path] = locust.folder.glob("runs/*/*")
    said = [line for line in locust.stderr.splitlines() if line.startswith("lonjak: ")]
    where = path.relative_to(locust.folder)
    assert said == [f"lonjak: cannot record into {where}: File too large; free some space or give --out DIR"]
    assert "Traceback" not in locust.stderr
    run = RunDirectory.open(path)
    manifest = Manifest.read(run.manifest)
    assert (manifest.complete, manifest.interrupted, manifest.ended_at) == (False, False, None)
    assert timed(run) > 0
    assert requests_by_kind(run)
    assert [event.detail["reason"] for event in events(run, "run_stopped")] == ["cannot be recorded"]
    assert {file.suffix for file in path.iterdir()} == {".toml", ".json", ".csv", ".jsonl", ".hlog"}
    assert not any(alive(worker.pid) for worker in manifest.workers)
    count = shop.count
    gevent.sleep(0.5)
    assert shop.count == count


def test_a_target_that_is_another_site_is_said_before_its_faults(locust: Locust, shop: ScriptedShop) -> None:
    plan = '[[faults]]\nkind = "kill-worker"\ntier = "shop"\nat_s = 0.5\n'
    arguments = ["--host", shop.url, "--scenario", scenario(locust.folder, more=plan)]
    assert locust.run(*arguments, locustfile="door.py") == 4
    [line] = [line for line in locust.stderr.splitlines() if line.startswith("lonjak: ")]
    assert f"{shop.url} is not the bundled shop" in line
    assert list(locust.folder.glob("runs")) == []


def test_a_run_that_is_there_is_not_overwritten(locust: Locust, shop: ScriptedShop) -> None:
    taken = locust.folder / "taken"
    taken.mkdir()
    (taken / "manifest.json").write_text("{}")
    arguments = ["--host", shop.url, "--scenario", scenario(locust.folder), "--run-dir", str(taken)]
    assert locust.run(*arguments) == 2
    assert "nothing is overwritten" in locust.stderr
    assert [(path.name, path.read_text()) for path in taken.iterdir()] == [("manifest.json", "{}")]


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_an_interrupted_run_is_whole_as_far_as_it_went(
    locust: Locust, shop: ScriptedShop, ending: signal.Signals
) -> None:
    arguments = ["--host", shop.url, "--scenario", scenario(locust.folder, 20.0), "--processes", "2"]
    process = locust.start(*arguments)
    run = wait_for_events(locust, "phase")
    eventually(lambda: shop.count > 10)
    process.send_signal(ending)
    assert process.wait(LIMIT_S) == 130
    assert "Traceback" not in locust.stderr
    manifest = Manifest.read(run.manifest)
    assert (manifest.complete, manifest.interrupted) == (True, True)
    sums = funnel(run)
    assert sums["arrived_count"] == sums["finished_count"] + sums["cut_count"]
    assert sum(requests_by_kind(run).values()) == shop.count == timed(run)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def test_a_killed_master_takes_its_workers_along_and_leaves_a_readable_run(locust: Locust, shop: ScriptedShop) -> None:
    arguments = ["--host", shop.url, "--scenario", scenario(locust.folder, 20.0), "--processes", "2"]
    process = locust.start(*arguments)
    run = wait_for_events(locust, "phase")
    workers = [worker.pid for worker in Manifest.read(run.manifest).workers]
    gevent.sleep(max(0.0, Manifest.read(run.manifest).started_at + 3.3 - time.time()))
    process.kill()
    process.wait()
    eventually(lambda: not any(alive(pid) for pid in workers), 10.0)
    assert not Manifest.read(run.manifest).complete
    recorded = {int(row["elapsed_s"]) for row in read_rows(run.counters, COUNTERS_COLUMNS)}
    assert recorded >= {0, 1}
    assert {line.elapsed_s for line in read_hlog(run.hlog)} >= {0, 1}


def test_what_a_lost_worker_should_have_sent_is_dropped_not_forgotten(locust: Locust, shop: ScriptedShop) -> None:
    arguments = ["--host", shop.url, "--scenario", scenario(locust.folder, 6.0), "--processes", "2"]
    process = locust.start(*arguments)
    run = wait_for_events(locust, "phase")
    eventually(lambda: shop.count > 10)
    os.kill(Manifest.read(run.manifest).workers[0].pid, signal.SIGKILL)
    assert process.wait(LIMIT_S) == 3
    assert [event.detail["worker"] for event in events(run, "worker_lost")] == ["worker-1"]
    sums = funnel(run)
    assert sums["arrived_count"] + sums["dropped_count"] == planned_count(6.0)
    assert sums["dropped_count"] > 10
    assert Manifest.read(run.manifest).complete


def test_a_planned_fault_hits_the_stacks_worker_and_ends_with_its_successor(locust: Locust, shop: ScriptedShop) -> None:
    stack = DummyStack(locust.folder, shop.url)
    keeper = gevent.spawn(stack.replace_when_killed)
    plan = '[[faults]]\nkind = "kill-worker"\ntier = "shop"\nat_s = 0.5\n'
    killed = stack.process.pid
    try:
        arguments = ["--scenario", scenario(locust.folder, more=plan), "--stack", str(stack.path)]
        assert locust.run(*arguments) == 0, locust.stderr
        keeper.get(timeout=LIMIT_S)
    finally:
        stack.end()
    run = only_run(locust.folder)
    started, ended = events(run, "fault_started", "fault_ended")
    assert (started.kind, started.detail["pid"]) == ("fault_started", killed)
    assert (ended.kind, ended.detail["pid"]) == ("fault_ended", stack.process.pid)
    assert 0.5 <= started.at - Manifest.read(run.manifest).started_at < 2.0 + 8.0  # and room for a busy machine
    assert {row["role"] for row in read_rows(run.tiers, TIERS_COLUMNS)} == {"shop-1", "worker-1"}


def test_faults_without_a_stack_do_not_begin(locust: Locust, shop: ScriptedShop) -> None:
    plan = '[[faults]]\nkind = "kill-worker"\ntier = "shop"\nat_s = 0.5\n'
    arguments = ["--host", shop.url, "--scenario", scenario(locust.folder, more=plan)]
    assert locust.run(*arguments) == 4
    assert "--no-faults" in locust.stderr
    assert shop.count == 0


def test_control_lines_steer_a_run_and_stand_in_its_history(locust: Locust, shop: ScriptedShop) -> None:
    steered = locust.folder / "runs" / "tiny" / "steered"
    steered.mkdir(parents=True)
    arguments = ["--host", shop.url, "--scenario", scenario(locust.folder, 20.0), "--run-dir", str(steered)]
    process = locust.start(*arguments)
    run = wait_for_events(locust, "phase")
    with run.control.open("a") as control:
        control.write('{"set_rate": 400}\n{"phase": "more"}\n{"set_rate": "fast"}\n')
    wait_for_events(locust, "phase", "more")
    eventually(lambda: shop.counts["/product/1"] > 150, 5.0)  # at the old rate, six seconds of arrivals
    with run.control.open("a") as control:
        control.write('{"stop": true}\n')
    assert process.wait(LIMIT_S) == 0
    assert [dict(event.detail) for event in events(run, "control")] == [
        {"set_rate": 400.0},
        {"phase": "more"},
        {"stop": True},
    ]
    assert [event.detail["reason"] for event in events(run, "run_stopped")] == ["control"]
    [warning] = events(run, "warning")
    assert "not a control line" in str(warning.detail["message"])
    assert sum(requests_by_kind(run).values()) == shop.count


def test_a_run_ends_when_the_process_it_is_made_for_is_gone(locust: Locust, shop: ScriptedShop) -> None:
    owner = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    arguments = ["--host", shop.url, "--scenario", scenario(locust.folder, 20.0), "--stop-with", str(owner.pid)]
    process = locust.start(*arguments)
    run = wait_for_events(locust, "phase")
    owner.kill()
    owner.wait()
    assert process.wait(LIMIT_S) == 130
    assert Manifest.read(run.manifest).interrupted


class Web:
    """Locust's web UI as a browser speaks to it."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._port = port

    def listens(self) -> bool:
        try:
            create_connection(("127.0.0.1", self._port), 0.5).close()
        except OSError:
            return False
        return True

    def post(self, path: str, form: dict[str, str] | None = None, **headers: str) -> tuple[int, Any]:
        answer = requests.post(self.url + path, data=form, headers=headers, timeout=LIMIT_S)
        return answer.status_code, answer.json()

    def user_count(self) -> int:
        return int(requests.get(f"{self.url}/stats/requests", timeout=5).json()["user_count"])


def free_port() -> int:
    with gevent.socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("processes", [[], ["--processes", "1"]], ids=["alone", "one worker"])
def test_the_web_ui_runs_what_is_allowed_and_refuses_the_rest(
    locust: Locust, shop: ScriptedShop, processes: list[str]
) -> None:
    port = free_port()
    arguments = ["--host", shop.url, "--scenario", scenario(locust.folder, 20.0), "--web-port", str(port)]
    process = locust.start(*arguments, *processes, headless=False)
    web = Web(port)
    eventually(web.listens, LIMIT_S)
    form = {"user_count": "500", "spawn_rate": "1", "host": shop.url, "rate": "60"}
    assert web.post("/swarm", {**form, "host": "http://10.1.2.3"})[0] == 400
    assert web.post("/swarm", form, Origin="http://evil.example")[0] == 403
    assert shop.count == 0
    eventually(lambda: web.post("/swarm", form)[1]["success"] and any(locust.folder.glob("runs/*/*")), LIMIT_S)
    run = wait_for_events(locust, "phase")
    eventually(lambda: web.user_count() > 2, 10.0)  # shoppers, not the one source of them
    assert web.post("/swarm", {**form, "host": "http://127.0.0.1:1"})[0] == 409
    assert web.post("/stop")[0] == 200
    manifest = Manifest.read(run.manifest)
    assert (manifest.complete, manifest.plan.rate_per_s) == (True, 60.0)
    assert sum(requests_by_kind(run).values()) == shop.count
    process.send_signal(signal.SIGINT)
    process.wait(LIMIT_S)
    assert "Traceback" not in locust.stderr


def test_json_is_what_a_summary_of_the_run_needs(locust: Locust, shop: ScriptedShop) -> None:
    assert locust.run("--host", shop.url, "--scenario", scenario(locust.folder, 1.0), "--command", "lonjak run x") == 0
    manifest = json.loads(only_run(locust.folder).manifest.read_text())
    assert manifest["command"] == "lonjak run x"
    assert {"python", "locust", "gevent"} <= set(manifest["versions"])
