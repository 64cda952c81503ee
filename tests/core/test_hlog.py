from pathlib import Path

import pytest
from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader

from loadgen.errors import RunDirectoryProblem
from loadgen.histogram import HIGHEST_US, Histogram
from loadgen.hlog import HlogLine, HlogWriter, Tag, read_hlog

PRODUCT = Tag("response_time", "product", "ok")


def written(path: Path, *, close: bool = True) -> Path:
    histogram = Histogram()
    histogram.record(1500, 3)
    writer = HlogWriter(path, 1_700_000_000.25)
    writer.write(0, PRODUCT, histogram)
    writer.write(1, PRODUCT, histogram)
    writer.flush()
    as_it_grew = path.read_text()
    writer.close()
    if not close:
        path.with_name("latency.hlog.gz").unlink()
        path.write_text(as_it_grew)
    return path


def read_back(path: Path) -> list[tuple[int, str, dict[int, int]]]:
    return [(line.elapsed_s, str(line.tag), line.histogram.counts) for line in read_hlog(path)]


def test_a_closed_log_reads_as_written(tmp_path: Path) -> None:
    path = written(tmp_path / "latency.hlog")
    assert not path.exists()
    assert read_back(path) == [(second, "response_time/product/ok", {1500: 3}) for second in (0, 1)]


def test_an_open_log_reads_as_far_as_it_went(tmp_path: Path) -> None:
    path = written(tmp_path / "latency.hlog", close=False)
    with path.open("a") as file:
        file.write("Tag=response_time/product/ok,2.000,1.0")  # torn by a kill
    assert [second for second, _, _ in read_back(path)] == [0, 1]


def test_the_library_reads_the_log(tmp_path: Path) -> None:
    path = written(tmp_path / "latency.hlog", close=False)
    reader = HistogramLogReader(str(path), HdrHistogram(1, HIGHEST_US, 3))
    counts = []
    while interval := reader.get_next_interval_histogram():
        counts.append(interval.get_total_count())
    reader.close()
    assert counts == [3, 3]


def test_a_page_kind_may_hold_slashes() -> None:
    assert Tag.parse("service_time//item/ok") == Tag("service_time", "/item", "ok")


def test_damage_is_named_with_its_line(tmp_path: Path) -> None:
    path = written(tmp_path / "latency.hlog", close=False)
    with path.open("a") as file:
        file.write("Tag=response_time/product/ok,2.000,1.000,0.1,garbage\n")
    with pytest.raises(RunDirectoryProblem, match=r"latency.hlog is damaged at line 6"):
        list(read_hlog(path))


def test_a_run_without_a_log_has_no_lines(tmp_path: Path) -> None:
    assert list(read_hlog(tmp_path / "latency.hlog")) == list[HlogLine]()
