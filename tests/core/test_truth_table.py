"""What people read of the comparison with queueing theory."""

from dataclasses import replace

from lonjak.bench.truth import Row
from lonjak.bench.truth_table import section

RIGHT = Row(2.0, 1000.0, "open", 99.0, 1600.2, 1601.3, within=True)
LOOP = replace(RIGHT, model="closed", measured_ms=11.0, within=False)


def test_open_and_closed_model_stand_side_by_side() -> None:
    shown = section([RIGHT, LOOP])
    assert shown.lines == (("2 s", "1,000", "p99", "1,600.2 ms", "1,601.3 ms", "+1.1 ms", "yes", "11.0 ms"),)
    assert shown.sentence == "All 1 percentiles are within 2% or 1 ms of queueing theory."
    assert shown.rows == (RIGHT, LOOP)


def test_a_wrong_percentile_is_told_before_an_unknown_one() -> None:
    unknown = replace(RIGHT, within=None, doubt="unknown: the generator was the bottleneck")
    wrong = replace(RIGHT, percent=50.0, within=False)
    assert section([unknown]).sentence == "unknown: the generator was the bottleneck."
    assert section([unknown, wrong]).sentence == "1 of 2 percentiles are off by more than 2% or 1 ms."
