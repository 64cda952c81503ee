"""Lays an edge out, writes its files, starts its processes as the unprivileged user and ends them again."""

import gzip
import json
import os
import pwd
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path

import requests

from reference_shop.edges import PROFILES, EdgeOptions
from reference_shop.edges.certificates import ServerCertificate, make_certificate
from reference_shop.edges.layout import EdgeProcess, Origin, Site, inner_doors, lay_out
from reference_shop.edges.options import public_doors
from reference_shop.edges.programs import install_command, missing, needed
from reference_shop.stack import ports
from reference_shop.stack.settings import default_run_as


@dataclass(frozen=True)
class Answer:
    """A response; several headers of a name are one with commas."""

    status_code: int
    headers: Message
    text: str

    def said(self) -> str:
        """All of Cache-Status."""
        return ", ".join(self.headers.get_all("Cache-Status", []))


@dataclass
class Edge:
    """A running edge; `urls` are its public doors."""

    site: Site
    processes: tuple[EdgeProcess, ...]
    running: dict[str, "subprocess.Popen[bytes]"]
    urls: tuple[str, ...]

    @property
    def url(self) -> str:
        return self.urls[0]

    @property
    def host(self) -> str:
        return self.url.partition("//")[2]

    @property
    def name(self) -> str:
        """What the outermost cache is called."""
        return next(process.cache for process in self.processes if process.cache and process.tier == "edge")

    def get(self, path: str, door: int = 0, method: str = "GET", **headers: str) -> Answer:
        return self.ask(path, door, method, headers)

    def ask(
        self, path: str, door: int = 0, method: str = "GET", headers: Mapping[str, str] | None = None, data: str = ""
    ) -> Answer:
        """Send the path exactly as it is."""
        port = self.site.public_ports[door]
        certificate = self.site.certificate
        if certificate is None:
            connection = HTTPConnection("127.0.0.1", port, timeout=60)
        else:
            trust = ssl.create_default_context(cafile=certificate.authority)
            connection = HTTPSConnection("127.0.0.1", port, timeout=60, context=trust)
        with closing(connection):
            connection.putrequest(method, path, skip_accept_encoding=True)
            for name, value in {**(headers or {}), **({"Content-Length": str(len(data))} if data else {})}.items():
                connection.putheader(name, value)
            connection.endheaders(data.encode() or None)
            response = connection.getresponse()
            body = response.read()
            packed = response.headers.get("Content-Encoding") == "gzip"
            text = (gzip.decompress(body) if packed and body else body).decode()
            return Answer(response.status, response.headers, text)

    def status(self, path: str, door: int = 0, method: str = "GET", **headers: str) -> str:
        """What the outermost cache says of a request."""
        return self.get(path, door, method, **headers).said().rpartition(", ")[2]

    def process(self, role: str) -> EdgeProcess:
        return next(process for process in self.processes if process.role == role)

    def purge(self, path: str, **headers: str) -> list[requests.Response]:
        """At every door, origin side first."""
        answers = []
        for process in self.processes:
            if process.purge_door:
                by_key = "Surrogate-Key" in headers and "key" in process.purge_door[1]
                address = "/" if by_key else path
                sent = {"Host": self.host, "X-Request-ID": "purge-1", **(headers if by_key else {})}
                answers.append(requests.request("PURGE", process.purge_door[0] + address, headers=sent, timeout=10))
        return answers

    def log(self, role: str = "edge") -> list[dict[str, object]]:
        access_log = next(process.access_log for process in self.processes if process.role == role)
        assert access_log is not None
        return [json.loads(line) for line in access_log.read_text().splitlines()] if access_log.exists() else []


def require(*names: str) -> None:
    """Fail clearly when a program is not installed."""
    absent = missing(names)
    assert not absent, f"{', '.join(absent)} not installed: {install_command(absent)}"


@contextmanager
def private_folder() -> Iterator[Path]:
    """A folder that the unprivileged user may go through."""
    with tempfile.TemporaryDirectory(prefix="lonjak-edges-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        yield folder


def furnish(folder: Path, process: EdgeProcess) -> None:
    own = folder / process.role
    own.mkdir(mode=0o700, exist_ok=True)
    for name, text in process.files.items():
        (own / name).write_text(text, encoding="utf-8")
        hand_over(own / name)
    hand_over(own)


def hand_over(path: Path) -> None:
    if user := default_run_as():
        shutil.chown(path, user)


def run_as_user(command: tuple[str, ...], folder: Path, log: int | None = None) -> "subprocess.Popen[bytes]":
    user = default_run_as()
    return subprocess.Popen(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
        user=user,
        group=pwd.getpwnam(user).pw_gid if user else None,
        extra_groups=[] if user else None,
        env={**os.environ, "HOME": str(folder)},
    )


@contextmanager
def running(
    profile: str,
    origin_port: int,
    options: EdgeOptions | None = None,
    *,
    is_shop: bool = True,
    concurrency: int | None = None,
    origin: Origin | None = None,
) -> Iterator[Edge]:
    """A profile before an origin on loopback, all of it gone afterwards."""
    chosen, asked = PROFILES[profile], options or EdgeOptions(purge="auto")
    require(*needed(chosen, asked))
    with ExitStack() as held:
        folder = held.enter_context(private_folder())
        doors = public_doors(chosen, asked, concurrency)
        public = tuple(held.enter_context(closing(ports.reserve())) for _ in range(doors))
        inner = {name: held.enter_context(closing(ports.reserve())) for name in inner_doors(chosen, asked)}
        site = Site(
            profile=chosen,
            options=asked,
            origin=origin or Origin("127.0.0.1", origin_port),
            public_ports=tuple(map(ports.number_of, public)),
            inner_ports={name: ports.number_of(bound) for name, bound in inner.items()},
            folder=folder,
            worker_count=2,
            concurrency=concurrency,
            is_shop=is_shop,
            certificate=_certificate(folder) if asked.tls else None,
        )
        processes = lay_out(site)
        started: dict[str, subprocess.Popen[bytes]] = {}
        held.callback(lambda: [_end(process, started) for process in reversed(processes)])
        for process in processes:
            furnish(folder, process)
            started[process.role] = start(folder, process)
        yield Edge(site, processes, started, tuple(f"{site.scheme}://127.0.0.1:{port}" for port in site.public_ports))


def start(folder: Path, process: EdgeProcess) -> "subprocess.Popen[bytes]":
    """The process, once it accepts connections."""
    log = folder / f"{process.role}.log"
    with log.open("ab") as errors:
        started = run_as_user(process.command, folder, errors.fileno())
    deadline = time.monotonic() + 60
    while process.port and not accepts(process.port):
        assert started.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.02)
    return started


def accepts(port: int) -> bool:
    with socket.socket() as trial:
        return trial.connect_ex(("127.0.0.1", port)) == 0


def _end(process: EdgeProcess, all_started: "Mapping[str, subprocess.Popen[bytes]]") -> None:
    if (started := all_started.get(process.role)) is None:
        return
    if started.poll() is None:
        started.send_signal(process.stop_signal)
    try:
        started.wait(timeout=4)
    except subprocess.TimeoutExpired:
        os.killpg(started.pid, signal.SIGKILL)
        started.wait()


def _certificate(folder: Path) -> ServerCertificate:
    place = folder / "certificate"
    place.mkdir()
    made = make_certificate(place)
    for path in (made.key, place):
        hand_over(path)
    return made
