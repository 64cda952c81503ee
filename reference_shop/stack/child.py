"""One process of the stack, from the moment it is launched to the moment nothing of it is left.

Each gets a session (and so a process group) of its own, its CPU set, its control group where its tier is throttled, its
settings as one JSON document on stdin, a log file as stderr, and a signal from the kernel when the supervisor ends. The
database and edges become the unprivileged user before they are executed; our own programs do so themselves
(`reference_shop.privileges`).
"""

import asyncio
import contextlib
import json
import os
import pwd
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from reference_shop.privileges import die_with_parent
from reference_shop.stack import control_groups
from reference_shop.stack.document import Restart
from reference_shop.stack.identity import ProcessIdentity

# Where the processes of one program leave their metrics for each other (prometheus_client, multiprocess mode).
METRICS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSpec:
    """How a process is launched and stopped; `stop_s` is how long it may take before it is killed.

    `reload` is the command that has it read its configuration again, if there is one.
    """

    role: str
    tier: str
    command: tuple[str, ...]
    folder: Path
    log: Path
    settings: Mapping[str, object] | None = None
    port: int | None = None
    cpu_set: tuple[int, ...] = ()
    control_group: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    inherited_fds: tuple[int, ...] = ()
    become: str | None = None
    announces_itself: bool = False
    reports_progress: bool = False
    stop_signal: signal.Signals = signal.SIGTERM
    orphan_signal: signal.Signals = signal.SIGTERM
    stop_s: float = 3.0
    restart: Restart = "always"
    reload: tuple[str, ...] | None = None


@dataclass(slots=True)
class Child:
    """A launched process. `exited` resolves to its exit code (negative: the signal) once nothing of its group is left.

    `ready_fd` is the reading end of the pipe on which a process that announces itself says that it serves.
    """

    spec: ProcessSpec
    process: subprocess.Popen[bytes]
    identity: ProcessIdentity
    exited: asyncio.Future[int]
    ready_fd: int | None = None
    _pidfd: int = field(default=-1)

    def watch(self) -> None:
        """Have `exited` resolved when the process ends."""
        self._pidfd = os.pidfd_open(self.identity.pid)
        asyncio.get_running_loop().add_reader(self._pidfd, self._bury)

    def _bury(self) -> None:
        """Kill what is left of the group, while the unreaped process keeps its number from being given away; reap."""
        asyncio.get_running_loop().remove_reader(self._pidfd)
        os.close(self._pidfd)
        self.kill_group()
        code = self.process.wait()
        if self.ready_fd is not None:
            asyncio.get_running_loop().remove_reader(self.ready_fd)
            os.close(self.ready_fd)
            self.ready_fd = None
        self.exited.set_result(code)

    def kill_group(self) -> None:
        """Kill the process and all of its group; only valid until it was reaped."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.identity.pid, signal.SIGKILL)

    async def stop(self) -> None:
        """Ask it to end; after `stop_s` seconds kill it. Returns when it is gone."""
        if not self.exited.done():
            # Not Popen.send_signal, which may reap it, and so free its number before the group is buried.
            os.kill(self.identity.pid, self.spec.stop_signal)
            await asyncio.wait([self.exited], timeout=self.spec.stop_s)
        if not self.exited.done():
            self.kill_group()
            await asyncio.wait([self.exited])


def launch(spec: ProcessSpec) -> Child:
    """Start the process, from the main thread, in a running event loop; OSError when it cannot be executed."""
    settings = dict(spec.settings or {})
    ready_fd, announce_fd = os.pipe() if spec.announces_itself else (None, None)
    if announce_fd is not None:
        settings["ready_fd"] = announce_fd
    stdin = _pipe_with(json.dumps(settings).encode()) if spec.settings is not None else subprocess.DEVNULL
    try:
        with spec.log.open("ab") as log:
            process = _execute(spec, stdin, log.fileno(), announce_fd)
    finally:
        for descriptor in (stdin, announce_fd):
            if descriptor is not None and descriptor >= 0:
                os.close(descriptor)
    child = Child(
        spec=spec,
        process=process,
        identity=ProcessIdentity.of_child(process.pid),
        exited=asyncio.get_running_loop().create_future(),
        ready_fd=ready_fd,
    )
    child.watch()
    return child


def _execute(spec: ProcessSpec, stdin: int, log: int, announce_fd: int | None) -> subprocess.Popen[bytes]:
    user = pwd.getpwnam(spec.become) if spec.become else None
    announced = () if announce_fd is None else (announce_fd,)

    def prepare() -> None:
        if spec.control_group:
            control_groups.join(spec.control_group)  # which the unprivileged user could not
        if spec.cpu_set:
            os.sched_setaffinity(0, spec.cpu_set)
        if user:
            os.setgroups([user.pw_gid])
            os.setgid(user.pw_gid)
            os.setuid(user.pw_uid)
        die_with_parent(spec.orphan_signal)  # the kernel forgets it when the user changes

    return subprocess.Popen(
        spec.command,
        cwd=spec.folder,
        env=_environment(spec),
        stdin=stdin,
        stdout=subprocess.PIPE if spec.reports_progress else log,
        stderr=log,
        pass_fds=(*spec.inherited_fds, *announced),
        start_new_session=True,
        preexec_fn=prepare,  # noqa: PLW1509  (this process has one thread)
    )


def _environment(spec: ProcessSpec) -> dict[str, str]:
    """Ours; as root with a home of the stack's own, since the user that a process becomes may not enter root's."""
    ours = {name: value for name, value in os.environ.items() if name != METRICS_VARIABLE}
    return ours | ({"HOME": str(spec.folder)} if os.geteuid() == 0 else {}) | dict(spec.environment)


def _pipe_with(content: bytes) -> int:
    """The reading end of a pipe that holds `content` (far below the 64 KiB that a pipe takes) and then ends."""
    reading, writing = os.pipe()
    os.write(writing, content)
    os.close(writing)
    return reading


def kill_orphans(known: set[int]) -> None:
    """Kill and reap what fell to this process, a subreaper, when its own parent died: database sessions, say."""
    for orphan in psutil.Process().children():
        if orphan.pid not in known:
            with contextlib.suppress(ProcessLookupError, ChildProcessError):
                os.kill(orphan.pid, signal.SIGKILL)
                os.waitpid(orphan.pid, 0)
