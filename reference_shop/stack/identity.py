"""Which process is meant: a pid alone may belong to somebody else tomorrow, a pid with its start time may not."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """A process, `start_time` in clock ticks since boot (proc(5), field 22 of stat)."""

    pid: int
    start_time: int

    @classmethod
    def of(cls, pid: int) -> "ProcessIdentity | None":
        """Who runs under `pid` now; None when nobody does, or only a zombie."""
        fields = _stat_fields(pid)
        return None if fields is None or fields[0] in "ZX" else cls(pid, int(fields[19]))

    @classmethod
    def of_child(cls, pid: int) -> "ProcessIdentity":
        """A child that was not waited for yet, and may have ended already."""
        fields = _stat_fields(pid)
        if fields is None:
            raise RuntimeError("/proc is not mounted, or the process is no child")
        return cls(pid, int(fields[19]))

    @property
    def alive(self) -> bool:
        """Whether this very process still runs."""
        return ProcessIdentity.of(self.pid) == self


def myself() -> ProcessIdentity:
    """The calling process."""
    return ProcessIdentity.of_child(os.getpid())


def group_members(group: int) -> list[ProcessIdentity]:
    """Living processes of a process group that is also a session of its own, as every process of the stack has."""
    members = []
    for entry in Path("/proc").iterdir():
        fields = _stat_fields(int(entry.name)) if entry.name.isdigit() else None
        if fields and fields[0] not in "ZX" and int(fields[2]) == group == int(fields[3]):
            members.append(ProcessIdentity(int(entry.name), int(fields[19])))
    return members


def _stat_fields(pid: int) -> list[str] | None:
    """Fields of /proc/PID/stat from the third (state) on."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
