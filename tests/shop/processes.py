"""Starts the shop's programs and a PostgreSQL for these tests: real processes on ports of their own."""

import json
import os
import pwd
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import requests

from reference_shop.stack import binaries
from reference_shop.stack.programs import program as command_of

PRODUCT_COUNT = 1200
SEED = 7
SCHEMA = "shop_under_test"
OPS_TOKEN = "a-token-that-only-tests-know"
RUN_AS = "nobody" if os.geteuid() == 0 else None
WITHIN_S = 90  # a busy machine needs a while; who is ready sooner is not kept waiting
PLAINLY = ("-m",)


def wait_until(happened: Callable[[], object], what: str) -> None:
    """Poll until something happened; fail after `WITHIN_S`."""
    deadline = time.monotonic() + WITHIN_S
    while not happened():
        assert time.monotonic() < deadline, f"{what} did not happen within {WITHIN_S} s"
        time.sleep(0.05)


def listen() -> socket.socket:
    """Take a free port of 127.0.0.1."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(256)
    return listener


def port_of(listener: socket.socket) -> int:
    """Return the port that a socket listens on."""
    return int(listener.getsockname()[1])


@dataclass
class Postgres:
    """A server whose data survives its own death."""

    programs: Path
    data: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def log_name(self) -> str:
        return f"{self.data.name}.log"

    @property
    def url(self) -> str:
        return f"postgresql://lonjak@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        self._launch()
        wait_until(self._is_up, "the start of PostgreSQL")

    def _launch(self) -> None:
        command = [str(self.programs / "postgres"), "-D", str(self.data), "-p", str(self.port), "-k", ""]
        # Every worker of the tests that run beside each other keeps a pool of ten.
        command += ["-h", "127.0.0.1", "-c", "max_connections=400"]
        self.process = run_lowered(command, self.data.parent / self.log_name)

    def _is_up(self) -> bool:
        """Whether it serves; one that ended is started again, as somebody may have held its port or its memory."""
        assert self.process is not None
        if self.process.poll() is not None:
            self._launch()
        return self.accepts()

    def accepts(self) -> bool:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", self.port)) != 0:
                return False
        return b"ready to accept" in (self.data.parent / self.log_name).read_bytes()

    def crash(self) -> None:
        """End it at once, without writing anything more."""
        assert self.process is not None
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(WITHIN_S)
        (self.data.parent / self.log_name).unlink()

    def kill(self) -> None:
        """End it and all its sessions by SIGKILL, as a power cut does."""
        assert self.process is not None
        server = psutil.Process(self.process.pid)
        for process in (server, *server.children()):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self.process.wait(WITHIN_S)
        (self.data.parent / self.log_name).unlink()

    def stop(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        self.process.wait(WITHIN_S)


def new_postgres(folder: Path, name: str) -> Postgres:
    """Make a server's files in a folder that the unprivileged user owns."""
    programs = binaries.reachable(binaries.installed(), folder, RUN_AS) / "bin"
    log = folder / f"initdb-{name}.log"
    initdb = run_lowered(
        [
            *(str(programs / "initdb"), "-D", str(folder / name), "-U", "lonjak"),
            *("--auth=trust", "--locale=C", "--encoding=UTF8", "--no-sync"),
        ],
        log,
    )
    assert initdb.wait(WITHIN_S) == 0, log.read_text()
    with listen() as reserved:
        return Postgres(programs, folder / name, port_of(reserved))


def run_lowered(command: list[str], log: Path) -> subprocess.Popen[bytes]:
    """Start a program that cannot lower its own rights."""
    with log.open("ab") as file:
        return subprocess.Popen(command, stdout=file, stderr=file, user=RUN_AS, group=group(), cwd=log.parent)


def group() -> int | None:
    return pwd.getpwnam(RUN_AS).pw_gid if RUN_AS else None


@dataclass
class Program:
    """A process of the shop: `payment` or `web`."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(WITHIN_S)

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(WITHIN_S)


@dataclass
class Workshop:
    """Starts programs of the shop and ends them after the tests."""

    folder: Path
    database_url: str
    images: Path
    schema: str = SCHEMA
    launcher: tuple[str, ...] = PLAINLY
    defects: tuple[str, ...] = ()
    programs: list[Program] = field(default_factory=list)

    def payment(
        self,
        latency_ms: int = 1,
        decline_ratio: float = 0.0,
        journal: str = "journal",
        listener: socket.socket | None = None,
    ) -> Program:
        settings = {
            "latency": {"distribution": "constant", "ms": latency_ms},
            "decline_ratio": decline_ratio,
            "seed": 1,
            "journal": str(self.folder / f"{self.schema}-{journal}.jsonl"),
        }
        return self._start("payment", settings, listener or listen())

    def web(self, payment_url: str, listener: socket.socket | None = None, **more: object) -> Program:
        return ready(self.starting_web(payment_url, listener, **more))

    def starting_web(self, payment_url: str, listener: socket.socket | None = None, **more: object) -> Program:
        """A worker that is not waited for, so that several can start at once."""
        settings = {
            "database_url": self.database_url,
            "schema": self.schema,
            "payment_url": payment_url,
            "ops_token": OPS_TOKEN,
            "images_dir": str(self.images),
            "worker": f"shop-{len(self.programs)}",
            "behind_edge": False,
            "access_log": str(self._access_log(len(self.programs))),
        }
        return self._launch("web", settings | more, listener or listen())

    def slow_way(self, port: int, delay_ms: float) -> int:
        """Hold back what is sent to a port; return the port to be used instead. Who is early waits at its door."""
        listener = listen()
        door = port_of(listener)
        self._launch("throttles", {"host": "127.0.0.1", "port": port, "delay_ms": delay_ms}, listener)
        return door

    def access_log(self, program: Program) -> Path:
        return self._access_log(self.programs.index(program))

    def _access_log(self, number: int) -> Path:
        return self.folder / f"{self.schema}-access-{number}.jsonl"

    def _start(self, name: str, settings: dict[str, object], listener: socket.socket) -> Program:
        return ready(self._launch(name, settings, listener))

    def _launch(self, name: str, settings: dict[str, object], listener: socket.socket) -> Program:
        log = self.folder / f"{self.schema}-{name}-{len(self.programs)}.log"
        document = settings | {"listen_fd": listener.fileno(), "run_as": RUN_AS}
        with log.open("wb") as file:
            process = subprocess.Popen(
                _command(name, self.launcher, self.defects),
                stdin=subprocess.PIPE,
                stdout=file,
                stderr=file,
                pass_fds=[listener.fileno()],
                env=os.environ | {"HOME": str(self.folder)},
            )
        assert process.stdin is not None
        with process.stdin as stdin:
            stdin.write(json.dumps(document).encode())
        program = Program(process, f"http://127.0.0.1:{port_of(listener)}", log)
        listener.close()
        self.programs.append(program)
        return program

    def close(self) -> None:
        """End every program."""
        for program in self.programs:
            with suppress(ProcessLookupError):
                program.process.kill()
            program.process.wait(WITHIN_S)


def _command(name: str, launcher: tuple[str, ...], defects: tuple[str, ...]) -> tuple[str, ...]:
    """How a program is started: with defects as the stack does it."""
    return command_of(name, defects) if defects else (sys.executable, *launcher, f"reference_shop.{name}")


def ready(program: Program) -> Program:
    """Return it when it serves."""
    wait_until(lambda: _is_ready(program), f"the start of {program.log.stem} ({program.log})")
    return program


def _is_ready(program: Program) -> bool:
    assert program.process.poll() is None, program.log.read_text()
    try:
        return requests.get(f"{program.url}/readyz", timeout=5).status_code == 200
    except requests.RequestException:
        return False


def seed_shop(
    database_url: str,
    images: Path,
    schema: str = SCHEMA,
    products: int = PRODUCT_COUNT,
    launcher: tuple[str, ...] = PLAINLY,
    *,
    defects: tuple[str, ...] = (),
) -> list[str]:
    """Run the seed; return the lines that it printed."""
    settings = {
        "database_url": database_url,
        "schema": schema,
        "products": products,
        "seed": SEED,
        "images_dir": str(images),
        "run_as": RUN_AS,
    }
    done = subprocess.run(
        _command("seed", launcher, defects),
        input=json.dumps(settings),
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"HOME": str(images.parent)},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()
