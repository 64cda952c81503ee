"""What control groups leave a process, read from folders made as the kernel makes them (cgroups(7))."""

from pathlib import Path

from loadgen.quotas import Quota, quota_of


def group(path: Path, **files: str) -> Path:
    path.mkdir(parents=True)
    for name, text in files.items():
        (path / name.replace("__", ".")).write_text(text)
    return path


def process(proc: Path, text: str) -> None:
    group(proc / "7", cgroup=text)


def test_version_one_tells_its_quota_in_microseconds_of_a_period(tmp_path: Path) -> None:
    process(tmp_path / "proc", "4:memory:/\n1:cpu:/lonjak-shop\n0::/\n")
    path = group(
        tmp_path / "cpu" / "lonjak-shop",
        cpu__cfs_quota_us="2500\n",
        cpu__cfs_period_us="10000\n",
        cpu__stat="nr_periods 200\nnr_throttled 150\nthrottled_time 1500000000\n",
    )
    assert quota_of(7, tmp_path, tmp_path / "proc") == Quota(path, 0.25, 200, 150, 1.5)


def test_version_two_tells_it_in_one_line(tmp_path: Path) -> None:
    process(tmp_path / "proc", "0::/shop.slice\n")
    stat = "usage_usec 5\nnr_periods 20\nnr_throttled 5\nthrottled_usec 250000\n"
    path = group(tmp_path / "shop.slice", cpu__max="50000 100000\n", cpu__stat=stat)
    assert quota_of(7, tmp_path, tmp_path / "proc") == Quota(path, 0.5, 20, 5, 0.25)


def test_a_group_without_a_limit_has_no_quota(tmp_path: Path) -> None:
    process(tmp_path / "proc", "1:cpu:/free\n0::/free\n")
    stat = "nr_periods 0\nnr_throttled 0\nthrottled_time 0\n"
    group(tmp_path / "cpu" / "free", cpu__cfs_quota_us="-1\n", cpu__cfs_period_us="100000\n", cpu__stat=stat)
    group(tmp_path / "free", cpu__max="max 100000\n", cpu__stat=stat)
    assert quota_of(7, tmp_path, tmp_path / "proc") is None


def test_a_process_that_is_gone_and_a_group_that_cannot_be_seen_have_none(tmp_path: Path) -> None:
    process(tmp_path / "proc", "0::/elsewhere\n")
    assert quota_of(7, tmp_path, tmp_path / "proc") is None
    assert quota_of(8, tmp_path, tmp_path / "proc") is None
