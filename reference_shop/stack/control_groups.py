"""Control groups: how the kernel lets a tier have no more than its share of a processor.

A group per stack and tier, made below a group that this process is in. Only groups with our name in front are ever
made, changed or removed. The kernel has two interfaces (cgroups(7)): version 1 with cpu.cfs_quota_us, version 2 with
cpu.max.
"""

import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from reference_shop.stack.problems import StackProblem

_PREFIX = "lonjak-"
_LEAST_QUOTA_US = 1_000  # the kernel's limit
# A throttled tier should be slow rather than stand still now and then: as short as the quota allows.
_SHORT_PERIOD_US, _LONG_PERIOD_US = 10_000, 100_000
_REMOVE_WITHIN_S = 1.0
_POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class ParentGroup:
    """A group of the system's below which ours are made, and the version of its interface."""

    path: Path
    version: Literal[1, 2]

    @property
    def usable(self) -> bool:
        """Whether we may make groups here that limit processor time."""
        if not os.access(self.path, os.W_OK):
            return False
        return self.version == 1 or "cpu" in _words_in(self.path / "cgroup.subtree_control")


@dataclass(frozen=True, slots=True)
class ControlGroup:
    """The group of one tier, and how much of a core all of its processes may use together."""

    path: Path
    version: Literal[1, 2]
    share: float

    @classmethod
    def below(cls, parent: ParentGroup, port: int, tier: str, share: float) -> "ControlGroup":
        """The group of a stack's tier; nothing is made yet."""
        return cls(parent.path / f"{_PREFIX}{os.getuid()}-{port}-{tier}", parent.version, share)

    def make(self) -> None:
        """Make the group and try it out, the limit too; raises StackProblem when that does not work here."""
        remove(self.path)  # what a killed supervisor has left
        try:
            self.path.mkdir()
            self.limit()
            self.lift()
            subprocess.run(["true"], preexec_fn=lambda: join(self.path), check=True)  # one thread: no lock is held
        except (OSError, subprocess.SubprocessError) as error:
            reason = error.strerror if isinstance(error, OSError) else "no process may join it"
            raise StackProblem(f"the control group {self.path}, which a cpu throttle needs, fails: {reason}") from None

    def limit(self) -> None:
        """Hold the group to its share from now on."""
        period_us = _SHORT_PERIOD_US if self.share * _SHORT_PERIOD_US >= _LEAST_QUOTA_US else _LONG_PERIOD_US
        quota_us = max(_LEAST_QUOTA_US, round(self.share * period_us))
        if self.version == 2:
            _write(self.path / "cpu.max", f"{quota_us} {period_us}")
        else:
            _write(self.path / "cpu.cfs_period_us", str(period_us))
            _write(self.path / "cpu.cfs_quota_us", str(quota_us))

    def lift(self) -> None:
        """Let the group have all it wants."""
        if self.version == 2:
            _write(self.path / "cpu.max", "max")
        else:
            _write(self.path / "cpu.cfs_quota_us", "-1")


def find_parent() -> ParentGroup:
    """The nearest group around this process below which ours can be made. Raises StackProblem where none is."""
    try:
        mounts, own = Path("/proc/self/mountinfo").read_text(), Path("/proc/self/cgroup").read_text()
    except OSError:
        mounts = own = ""
    for parent in parents(mounts, own):
        if parent.usable:
            return parent
    raise StackProblem(
        "a cpu throttle needs a control group, and this user cannot make one here: "
        "become root where control groups are writable, or leave the throttle out"
    )


def parents(mounts: str, own: str) -> Iterator[ParentGroup]:
    """Groups around this process that have to do with processor time, nearest first, by version.

    mounts: /proc/self/mountinfo; own: /proc/self/cgroup (proc(5), cgroups(7)).
    """
    groups = {controllers: path for _, controllers, path in (line.split(":", 2) for line in own.splitlines())}
    for line in mounts.splitlines():
        ahead, _, behind = line.partition(" - ")
        root, mount = (_unescaped(field) for field in ahead.split()[3:5])
        kind, _, options = behind.split(" ", 2)
        if kind == "cgroup" and "cpu" in options.split(","):
            found = next((path for names, path in groups.items() if "cpu" in names.split(",")), "/")
            yield ParentGroup(_place(Path(mount), root, found), 1)
        elif kind == "cgroup2":
            nearest = _place(Path(mount), root, groups.get("", "/"))
            around = (nearest, *nearest.parents)
            yield from (ParentGroup(path, 2) for path in around if path.is_relative_to(mount))


def join(path: Path) -> None:
    """Put the calling process into a group: in a child, before it becomes another user and before it is executed."""
    _write(path / "cgroup.procs", "0")


def remove(path: Path) -> bool:
    """Take one of our groups away, and tell whether it is gone; waits up to 1 s for processes that are just ending."""
    if not path.name.startswith(_PREFIX):
        return False
    deadline = time.monotonic() + _REMOVE_WITHIN_S
    while path.exists():
        try:
            path.rmdir()
        except OSError:
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_S)
    return True


def _place(mount: Path, root: str, group: str) -> Path:
    """Where a group is seen below a mount that shows the hierarchy from `root` on; a container may see only a part."""
    place = mount / os.path.relpath(group, root)
    return place if ".." not in place.parts and place.is_dir() else mount


def _unescaped(field: str) -> str:
    return field.replace("\\040", " ")


def _words_in(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="ascii").split()
    except OSError:
        return []


def _write(path: Path, text: str) -> None:
    # Not Path.write_text: a group's files can be neither created nor cut off.
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)
