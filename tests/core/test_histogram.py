"""The sparse histogram against the HdrHistogram library, which is the oracle."""

import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given
from hypothesis import strategies as st

from loadgen.histogram import HIGHEST_US, LOWEST_US, SIGNIFICANT_DIGITS, Histogram, index_of, value_at
from loadgen.hlog import decode, encode

VALUES = st.lists(st.integers(0, HIGHEST_US), min_size=1, max_size=200)


def library_histogram(values: list[int]) -> HdrHistogram:
    histogram = HdrHistogram(LOWEST_US, HIGHEST_US, SIGNIFICANT_DIGITS)
    for value in values:
        assert histogram.record_value(value)
    return histogram


def recorded(values: list[int]) -> Histogram:
    histogram = Histogram()
    for value in values:
        histogram.record(value)
    return histogram


@given(st.integers(0, HIGHEST_US))
def test_a_value_falls_into_the_bucket_that_the_library_gives_it(value: int) -> None:
    oracle = HdrHistogram(LOWEST_US, HIGHEST_US, SIGNIFICANT_DIGITS)
    assert value_at(index_of(value)) == oracle.get_highest_equivalent_value(value)


@given(VALUES)
def test_a_percentile_is_the_value_of_the_nearest_rank(values: list[int]) -> None:
    oracle = library_histogram(values)
    percents = (50, 90, 95, 99, 100)
    ranks = [-(-percent * len(values) // 100) for percent in percents]
    expected = tuple(oracle.get_highest_equivalent_value(sorted(values)[rank - 1]) for rank in ranks)
    assert recorded(values).percentiles_us(percents) == expected


@given(VALUES)
def test_the_library_reads_what_we_encode(values: list[int]) -> None:
    oracle = HdrHistogram.decode(encode(recorded(values)))
    assert oracle.get_total_count() == len(values)
    assert oracle.get_value_at_percentile(100) == recorded(values).max_us


@given(VALUES)
def test_we_read_what_the_library_encodes(values: list[int]) -> None:
    assert decode(library_histogram(values).encode().decode()).counts == recorded(values).counts


@given(VALUES, VALUES)
def test_merging_is_the_same_as_recording_everything_in_one_place(left: list[int], right: list[int]) -> None:
    merged = recorded(left)
    merged.merge(recorded(right))
    assert merged.counts == recorded(left + right).counts


def test_values_beyond_an_hour_count_as_an_hour() -> None:
    assert recorded([HIGHEST_US * 10]).counts == recorded([HIGHEST_US]).counts


def test_an_empty_histogram_has_zeros() -> None:
    assert (Histogram().count, Histogram().max_us, Histogram().percentile_us(99)) == (0, 0, 0)


@pytest.mark.parametrize("text", ["", "x", "HISTFAAAACV4", "aGVsbG8="])
def test_garbage_is_no_histogram(text: str) -> None:
    with pytest.raises(ValueError, match="not an HdrHistogram"):
        decode(text)


@given(VALUES, VALUES)
def test_what_was_merged_can_be_taken_out_without_loss(kept: list[int], gone: list[int]) -> None:
    one, other = Histogram(), Histogram()
    for histogram, values in ((one, kept), (other, gone)):
        for value in values:
            histogram.record(value)
    before = dict(one.counts)
    one.merge(other)
    one.remove(other)
    assert one.counts == before


@given(st.lists(st.integers(0, 2000), max_size=100), st.integers(0, 2000))
def test_counts_above_a_limit_are_those_of_the_values(values: list[int], limit_us: int) -> None:
    histogram = Histogram()  # below 2048 µs every bucket holds one value
    for value in values:
        histogram.record(value)
    assert histogram.count_above(limit_us) == sum(value > limit_us for value in values)
    assert histogram.count_above(limit_us, or_at=True) == sum(value >= limit_us for value in values)
