"""The server that everybody is measured against: nginx with one worker, one small page, no log, in its own folder."""

import contextlib
import grp
import os
import pwd
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import jinja2

from loadgen.errors import EnvironmentProblem, ProgramMissing
from lonjak.bench.processes import Started, pause, started
from lonjak.bench.stub_status import Counter, Reading
from reference_shop.edges import nginx, programs
from reference_shop.edges.certificates import ServerCertificate
from reference_shop.stack import ports
from reference_shop.stack.settings import default_run_as

_START_S = 10.0
_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class SmallPage:
    """A running server; `url` has no slash at its end; `authority` is the certificate to trust, over TLS."""

    url: str
    program: Started
    authority: Path | None
    _counter: Counter

    def read(self) -> Reading:
        """What it served so far."""
        return self._counter.read()

    def wait_for(self, request_count: int, within_s: float, contender: Started) -> Reading:
        """Wait until so many requests in all were served; EnvironmentProblem when they do not come."""
        deadline = time.monotonic() + within_s
        while (reading := self.read()).request_count < request_count:
            if time.monotonic() > deadline:
                contender.give_up(f"had made {reading.request_count} of {request_count} requests after {within_s:g} s")
            pause(_POLL_S, self.program, contender)
        return reading


def find_nginx(find: Callable[[], Path | None] = lambda: programs.find("nginx")) -> Path:
    """nginx, or ProgramMissing with the command that installs it."""
    if (program := find()) is None:
        command = programs.install_command(["nginx"])
        raise ProgramMissing(f"nginx is not installed, and the bench measures against it: {command}")
    return program


@contextmanager
def small_page(
    folder: Path,
    cpus: tuple[int, ...],
    connections: int,
    certificate: ServerCertificate | None = None,
    *,
    workers: int = 1,
) -> Iterator[SmallPage]:
    """Serve the page on a free port, over TLS where there is a certificate; gone at the end of the block.

    `connections` are those of each worker.
    """
    with contextlib.closing(ports.reserve()) as page, contextlib.closing(ports.reserve()) as status:
        page_port, status_port = ports.number_of(page), ports.number_of(status)
        text = configuration(page_port, status_port, connections, certificate, workers=workers)
        (folder / nginx.CONFIGURATION).write_text(text, encoding="utf-8")
        command = nginx.command(find_nginx(), folder)
        with started("nginx", command, cpus=cpus, folder=folder, orphan_signal=signal.SIGTERM) as program:
            counter = _connected(program, status_port)
            with contextlib.closing(counter):
                scheme = "https" if certificate else "http"
                authority = certificate.authority if certificate else None
                yield SmallPage(f"{scheme}://{ports.HOST}:{page_port}", program, authority, counter)


def configuration(
    page_port: int, status_port: int, connections: int, certificate: ServerCertificate | None, *, workers: int = 1
) -> str:
    """The text of nginx.conf; all its paths but the certificate's are relative to nginx's prefix."""
    template = files("lonjak.bench").joinpath("small_page.conf.jinja").read_text(encoding="utf-8")
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False, keep_trailing_newline=True)  # noqa: S701  (no HTML)
    return environment.from_string(template).render(
        page_port=page_port,
        status_port=status_port,
        connections=2 * connections + 100,  # nginx closes idle ones when a sixteenth of them is all that is left
        certificate=certificate,
        workers=workers,
        worker=worker_user(),
    )


def worker_user() -> str | None:
    """As whom nginx's worker runs: "user group", None where nginx does not start as root."""
    if os.geteuid() != 0:
        return None
    user = pwd.getpwnam(default_run_as() or "nobody")
    return f"{user.pw_name} {grp.getgrgid(user.pw_gid).gr_name}"


def _connected(program: Started, port: int) -> Counter:
    deadline = time.monotonic() + _START_S
    while True:
        program.check_alive()
        counter = Counter(ports.HOST, port)
        try:
            counter.read()
        except EnvironmentProblem:
            counter.close()
            if time.monotonic() > deadline:
                raise
            time.sleep(_POLL_S)
        else:
            return counter
