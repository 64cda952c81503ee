"""How much processor time the kernel's control groups leave a process, and how often they held it back.

Both interfaces of cgroups(7): version 1 with cpu.cfs_quota_us, version 2 with cpu.max.
"""

from dataclasses import dataclass
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class Quota:
    """A group with a limit: cores that it may use, periods so far, those in which it was held back, and for how long.

    `path` tells groups apart.
    """

    path: Path
    cores: float
    period_count: int
    held_back_count: int
    held_back_s: float


def quota_of(pid: int, root: Path = _ROOT, proc: Path = Path("/proc")) -> Quota | None:
    """The limit that a process runs under; None where its group has none, or none that can be seen from here."""
    try:
        lines = (proc / str(pid) / "cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    for line in lines:
        number, controllers, group = line.split(":", 2)
        if "cpu" in controllers.split(","):
            return _first_version(root / controllers / group.lstrip("/")) or _first_version(root / "cpu" / group[1:])
        if number == "0" and (found := _second_version(root / group.lstrip("/"))):
            return found
    return None


def _first_version(path: Path) -> Quota | None:
    try:
        quota_us, period_us = (int((path / f"cpu.cfs_{name}_us").read_text()) for name in ("quota", "period"))
        counts = _counts(path)
    except (OSError, ValueError):
        return None
    if quota_us <= 0:
        return None
    held_back_s = counts.get("throttled_time", 0) / 1e9
    return Quota(path, quota_us / period_us, counts["nr_periods"], counts["nr_throttled"], held_back_s)


def _second_version(path: Path) -> Quota | None:
    try:
        quota_us, period_us = (path / "cpu.max").read_text().split()
        counts = _counts(path)
    except (OSError, ValueError):
        return None
    if quota_us == "max":
        return None
    held_back_s = counts.get("throttled_usec", 0) / 1e6
    return Quota(path, int(quota_us) / int(period_us), counts["nr_periods"], counts["nr_throttled"], held_back_s)


def _counts(path: Path) -> dict[str, int]:
    lines = (path / "cpu.stat").read_text(encoding="ascii").splitlines()
    return {name: int(value) for name, value in (line.split() for line in lines)}
