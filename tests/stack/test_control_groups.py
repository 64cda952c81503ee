"""Control groups: found, made, biting, and taken away again."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reference_shop.stack import control_groups
from reference_shop.stack.child import ProcessSpec, launch
from reference_shop.stack.control_groups import ControlGroup, ParentGroup, find_parent, parents
from reference_shop.stack.problems import StackProblem
from tests.stack.conftest import eventually

SPIN = (sys.executable, "-c", "while True: pass")
WITH_A_CHILD = ("sh", "-c", "sleep 60 & wait")


def groups_are_ours() -> bool:
    try:
        find_parent()
    except StackProblem:
        return False
    return True


needs_groups = pytest.mark.skipif(not groups_are_ours(), reason="no control group can be made here")


@pytest.fixture
def group() -> Iterator[ControlGroup]:
    made = ControlGroup.below(find_parent(), port=os.getpid(), tier="test", share=0.2)
    made.make()
    yield made
    control_groups.remove(made.path)


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


def share_of(pid: int, during_s: float = 1.0) -> float:
    """How much of a core a process uses; the quota refills 10 times and more meanwhile."""
    used_s, at = cpu_s(pid), time.monotonic()
    time.sleep(during_s)
    return (cpu_s(pid) - used_s) / (time.monotonic() - at)


def throttled_count(group: ControlGroup) -> int:
    """How often the kernel has made the group wait."""
    lines = (group.path / "cpu.stat").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("nr_throttled "))


@contextmanager
def spinning(group: ControlGroup) -> Iterator[int]:
    with subprocess.Popen(SPIN) as process:
        try:
            (group.path / "cgroup.procs").write_text(str(process.pid))
            yield process.pid
        finally:
            process.kill()


@needs_groups
def test_a_group_gets_its_share_and_no_more_until_the_limit_is_lifted(group: ControlGroup) -> None:
    group.limit()
    with spinning(group) as pid:
        assert share_of(pid) < 0.25
        assert throttled_count(group) > 10
        group.lift()
        before = throttled_count(group)
        assert eventually(lambda: share_of(pid, 0.5) > 0.25)
        assert throttled_count(group) == before
    assert control_groups.remove(group.path)
    assert not group.path.exists()


@needs_groups
def test_all_processes_of_a_group_share_its_share(group: ControlGroup) -> None:
    group.limit()
    with spinning(group) as one, spinning(group) as other:
        used_s, at = cpu_s(one) + cpu_s(other), time.monotonic()
        time.sleep(1)
        assert (cpu_s(one) + cpu_s(other) - used_s) / (time.monotonic() - at) < 0.25


@needs_groups
@pytest.mark.parametrize("become", [None, "nobody"])
def test_a_launched_process_and_its_children_are_in_the_group_whoever_they_become(
    group: ControlGroup, tmp_path: Path, become: str | None
) -> None:
    if become and os.geteuid() != 0:
        pytest.skip("only root runs the processes as another user")
    spec = ProcessSpec(
        role="parent",
        tier="test",
        command=WITH_A_CHILD,
        folder=Path("/"),
        log=tmp_path / "log",
        become=become,
        control_group=group.path,
    )

    async def members() -> int:
        child = launch(spec)
        try:
            async with asyncio.timeout(10):
                while len(found := (group.path / "cgroup.procs").read_text().split()) < 2:
                    await asyncio.sleep(0.02)
            return len(found)
        finally:
            await child.stop()

    assert asyncio.run(members()) == 2


@needs_groups
def test_a_small_share_is_kept_too() -> None:
    small = ControlGroup.below(find_parent(), port=os.getpid(), tier="small", share=0.05)
    small.make()
    try:
        small.limit()
        with spinning(small) as pid:
            assert share_of(pid) < 0.08
            assert throttled_count(small) > 1
    finally:
        assert control_groups.remove(small.path)


@needs_groups
def test_what_a_killed_supervisor_left_is_made_anew_unless_somebody_is_in_it(group: ControlGroup) -> None:
    group.make()
    with spinning(group), pytest.raises(StackProblem, match="which a cpu throttle needs, fails: File exists"):
        group.make()


def test_only_our_own_groups_are_removed(tmp_path: Path) -> None:
    ours, others = tmp_path / "lonjak-0-8080-shop", tmp_path / "system.slice"
    for path in (ours, others):
        path.mkdir()
    assert [control_groups.remove(path) for path in (ours, others)] == [True, False]
    assert (ours.exists(), others.exists()) == (False, True)


def test_a_group_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    group = ControlGroup.below(ParentGroup(tmp_path / "nowhere", 1), 8080, "shop", 0.5)
    with pytest.raises(StackProblem) as caught:
        group.make()
    assert str(caught.value) == (
        f"the control group {group.path}, which a cpu throttle needs, fails: No such file or directory"
    )


def test_the_limit_is_written_as_each_version_of_the_kernels_interface_wants_it(tmp_path: Path) -> None:
    for name in ("cpu.max", "cpu.cfs_period_us", "cpu.cfs_quota_us"):
        (tmp_path / name).touch()
    ControlGroup(tmp_path, 2, 0.25).limit()
    ControlGroup(tmp_path, 1, 0.03).limit()
    written = [(tmp_path / name).read_text() for name in ("cpu.max", "cpu.cfs_period_us", "cpu.cfs_quota_us")]
    assert written == ["2500 10000", "100000", "3000"]


def mount(root: str, place: Path, kind: str, options: str) -> str:
    return f"32 31 0:29 {root} {place} rw,relatime - {kind} {kind} {options}\n"


def test_version_1_has_a_hierarchy_for_processor_time(tmp_path: Path) -> None:
    (tmp_path / "cpu" / "mine").mkdir(parents=True)
    mounts = mount("/", tmp_path / "cpuset", "cgroup", "rw,cpuset") + mount(
        "/", tmp_path / "cpu", "cgroup", "rw,cpu,cpuacct"
    )
    own = "3:cpuset:/other\n1:cpu,cpuacct:/mine\n0::/\n"
    assert list(parents(mounts, own)) == [ParentGroup(tmp_path / "cpu" / "mine", 1)]


def test_a_container_sees_its_own_group_as_the_root_of_the_mount(tmp_path: Path) -> None:
    mounts = mount("/docker/abc", tmp_path, "cgroup", "rw,cpu")
    assert list(parents(mounts, "1:cpu:/docker/abc\n")) == [ParentGroup(tmp_path, 1)]
    assert list(parents(mounts, "1:cpu:/elsewhere\n")) == [ParentGroup(tmp_path, 1)]


def test_version_2_has_one_hierarchy_and_a_parent_must_let_its_children_be_limited(tmp_path: Path) -> None:
    own = tmp_path / "user.slice" / "session"
    own.mkdir(parents=True)
    (own / "cgroup.subtree_control").write_text("\n")
    (own.parent / "cgroup.subtree_control").write_text("cpuset cpu memory\n")
    found = list(parents(mount("/", tmp_path, "cgroup2", "rw"), "0::/user.slice/session\n"))
    assert found == [ParentGroup(path, 2) for path in (own, own.parent, tmp_path)]
    assert [parent.usable for parent in found] == [False, True, False]


def test_where_there_is_nothing_to_limit_with_nothing_is_found() -> None:
    assert list(parents("", "")) == []
    assert not ParentGroup(Path("/nowhere"), 1).usable
