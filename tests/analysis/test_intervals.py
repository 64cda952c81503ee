"""Latencies as columns: the same as the log's own lines, decoded one by one and added up."""

from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.intervals import Intervals
from loadgen.histogram import HIGHEST_US, Histogram, index_of
from loadgen.hlog import HlogWriter, PackedLine, Tag, read_hlog, read_packed

TAGS = (Tag("response_time", "product", "ok"), Tag("response_time", "cart", "ok"), Tag("loop_lag", "worker-1", "ok"))
lines = st.lists(
    st.tuples(
        st.integers(0, 30),
        st.sampled_from(TAGS),
        st.dictionaries(st.integers(0, HIGHEST_US), st.integers(1, 200_000), max_size=6),
    ),
    max_size=25,
)


def packed(number: int) -> bytes:
    """Zigzag LEB128, as the log has it."""
    rest = 2 * number if number >= 0 else -2 * number - 1
    body = bytearray()
    while rest > 0x7F:
        body.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*body, rest])


def written(folder: Path, recorded: list[tuple[int, Tag, dict[int, int]]]) -> Path:
    path = folder / "latency.hlog"
    path.with_name("latency.hlog.gz").unlink(missing_ok=True)
    log = HlogWriter(path, 1_795_421_700.25)
    for second, tag, values in recorded:
        histogram = Histogram()
        for value_us, count in values.items():
            histogram.record(value_us, count)
        log.write(second, str(tag), histogram)
    log.close()
    return path


@settings(max_examples=60, deadline=None)
@given(lines, st.integers(0, 30), st.integers(0, 32))
def test_any_stretch_is_the_sum_of_its_lines(tmp_path_factory, recorded, start_s, length_s):
    path = written(tmp_path_factory.mktemp("log"), recorded)
    wanted: defaultdict[Tag, Histogram] = defaultdict(Histogram)
    by_second: defaultdict[int, defaultdict[Tag, Histogram]] = defaultdict(lambda: defaultdict(Histogram))
    for line in read_hlog(path):
        by_second[line.elapsed_s][line.tag].merge(line.histogram)
        if start_s <= line.elapsed_s < start_s + length_s:
            wanted[line.tag].merge(line.histogram)
    intervals = Intervals(read_packed(path))
    found = {tag: histogram.counts for tag, histogram in intervals.summed(start_s, start_s + length_s)}
    assert found == {tag: histogram.counts for tag, histogram in wanted.items() if histogram.counts}
    for second in intervals:
        held = {tag: of.counts for tag, of in by_second[second].items() if of.counts}
        assert {line.tag: line.histogram.counts for line in intervals.get(second, ())} == held


def test_bins_and_tables_hold_everything(tmp_path):
    recorded = [(second, TAGS[0], {1000 * second: 2}) for second in range(10)] + [(25, TAGS[1], {5: 1})]
    intervals = Intervals(read_packed(written(tmp_path, recorded)))
    pages = intervals.binned(lambda tag: tag.measure == "response_time", 4, 3)
    assert [histogram.count for histogram in pages] == [8, 8, 5]  # what lies beyond falls into the last
    table, buckets = intervals.counts(lambda tag: tag == TAGS[0], 2, 5)
    assert table.tolist() == [[2, 0, 0], [0, 2, 0], [0, 0, 2]]
    assert buckets.tolist() == sorted(buckets.tolist())
    assert dict(intervals.totals()) == {TAGS[0]: 20, TAGS[1]: 1}
    assert intervals.last_s == 25


def test_an_empty_log_has_no_seconds():
    intervals = Intervals(())
    assert (list(intervals), len(intervals), intervals.last_s, list(intervals.summed(0, 9))) == ([], 0, -1, [])
    assert intervals.counts(lambda _: True, 0, 2)[0].shape == (2, 0)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"\x80", "ends within a number"),
        (b"\xff" * 9 + b"\x01", "a number that cannot be"),
        (b"\xff\xff\xff\x7f\x02", "values that cannot be"),
        (b"\xfe\xff\xff\xff\x7f", "values or counts that cannot be"),
        (packed(-(index_of(HIGHEST_US) + 1)) + packed(1), "values or counts that cannot be"),
    ],
)
def test_what_no_log_can_hold_is_refused(body, sentence):
    with pytest.raises(ValueError, match=sentence):
        Intervals([PackedLine(0, TAGS[0], body)])
