"""What the processes of stack and load generator use, read once a second from /proc (proc(5)), for tiers.csv."""

import contextlib
import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from loadgen.records import Json
from loadgen.stack import StackProcess

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_LISTENING = "0A"  # include/net/tcp_states.h
GENERATOR = "generator"


@dataclass(frozen=True, slots=True)
class Sample:
    """One process in one second; CPU as a share of one core, connections as open sockets, queue as the accept queue."""

    elapsed_s: int
    tier: str
    role: str
    pid: int
    cpu_ratio: float
    memory_bytes: int
    connection_count: int = 0
    queue_length: int = 0

    def as_row(self) -> dict[str, Json]:
        """The row of tiers.csv by column name."""
        row: dict[str, Json] = {name: getattr(self, name) for name in self.__slots__}
        return row | {"cpu_ratio": round(self.cpu_ratio, 4)}


class CpuMeter:
    """CPU of one process, or of its whole family, between two looks; the first has nothing to compare with."""

    def __init__(
        self, pid: int, clock: Callable[[], float] = time.monotonic, used: Callable[[int], float | None] | None = None
    ) -> None:
        self._pid = pid
        self._used = used or cpu_seconds
        self._clock = clock
        self._before: tuple[float, float] | None = None

    def ratio(self) -> float | None:
        """The share of one core used since the last look; None at the first, or when the process is gone."""
        used_s = self._used(self._pid)
        if used_s is None:
            return None
        before, self._before = self._before, (self._clock(), used_s)
        if before is None or self._before[0] <= before[0]:
            return None
        return (used_s - before[1]) / (self._before[0] - before[0])


class Sampler:
    """Samples processes as they come and go."""

    def __init__(self) -> None:
        self._meters: dict[tuple[int, int], CpuMeter] = {}

    def sample(self, elapsed_s: int, processes: Iterable[StackProcess]) -> Iterator[Sample]:
        """A sample of each process that runs and was there at the last look too."""
        queues = accept_queues()
        for process in processes:
            if not process.alive:
                continue
            meter = self._meters.setdefault(
                (process.pid, process.start_time), CpuMeter(process.pid, used=family_cpu_seconds)
            )
            cpu_ratio = meter.ratio()
            if cpu_ratio is None:
                continue
            members = family(process.pid)
            yield Sample(
                elapsed_s,
                process.tier,
                process.role,
                process.pid,
                cpu_ratio,
                memory_bytes(process.pid) + sum(_own_memory_bytes(pid) for pid in members[1:]),
                sum(_socket_count(pid) for pid in members),
                queues.get(process.port, 0) if process.port else 0,
            )


def family(pid: int) -> list[int]:
    """A process and its descendants: PostgreSQL and nginx do their work in children."""
    members = [pid]
    for member in members:  # grows while it is walked
        with contextlib.suppress(OSError):
            text = Path(f"/proc/{member}/task/{member}/children").read_text(encoding="ascii")
            members += map(int, text.split())
    return members


def cpu_seconds(pid: int) -> float | None:
    """CPU time that a process has used so far; None when it is gone."""
    times = _times_s(pid)
    return times[0] if times else None


def family_cpu_seconds(pid: int) -> float | None:
    """CPU time of a process, its descendants, and its children that have ended; None when it is gone."""
    first, *others = [_times_s(member) for member in family(pid)]
    return sum(first) + sum(sum(times) for times in others if times) if first else None


def _times_s(pid: int) -> tuple[float, float] | None:
    """CPU seconds of a process itself, and of those of its children that have ended."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    own, own_system, ended, ended_system = map(int, text.rpartition(")")[2].split()[11:15])
    return (own + own_system) / _TICKS_PER_S, (ended + ended_system) / _TICKS_PER_S


def memory_bytes(pid: int) -> int:
    """Resident memory of a process; 0 when it is gone."""
    return _statm(pid)[0]


def _own_memory_bytes(pid: int) -> int:
    resident_bytes, shared_bytes = _statm(pid)
    return resident_bytes - shared_bytes  # what is shared counts once, with the process that started it


def _statm(pid: int) -> tuple[int, int]:
    try:
        fields = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()
        return int(fields[1]) * _PAGE_BYTES, int(fields[2]) * _PAGE_BYTES
    except (OSError, IndexError):
        return 0, 0


def accept_queues() -> dict[int, int]:
    """Connections waiting to be accepted, by listening port. Listening sockets come first in the kernel's table."""
    queues: dict[int, int] = {}
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            with Path(table).open(encoding="ascii") as file:
                next(file, None)
                for line in file:
                    fields = line.split()
                    if fields[3] != _LISTENING:
                        break
                    port = int(fields[1].rpartition(":")[2], 16)
                    queues[port] = queues.get(port, 0) + int(fields[4].partition(":")[2], 16)
        except OSError:
            continue
    return queues


def _socket_count(pid: int) -> int:
    folder = f"/proc/{pid}/fd"
    count = 0
    try:
        for entry in os.listdir(folder):  # noqa: PTH208 (a Path object per descriptor costs more than the look itself)
            try:
                count += os.readlink(f"{folder}/{entry}").startswith("socket:")  # noqa: PTH115
            except OSError:
                continue
    except OSError:
        return 0  # another user's process shows its descriptors to nobody else
    return count
