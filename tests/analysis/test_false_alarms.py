"""How often a regression is told that is none, and found that is there: counted on seeded runs with alike seconds."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from analysis.difference.advice import Advice
from analysis.difference.difference import compare
from analysis.difference.figures import Figure
from analysis.difference.judging import Compared, judge
from analysis.difference.steady_cells import Cells, cells_of
from analysis.recording import read
from analysis.steady_seconds import ALL, Counted
from tests.autocorrelated_run import Likeness, written

LIKE = Likeness(steady_s=60, requests_per_s=30.0, carried_ratio=0.5, second_sd=0.1)
PAIRS = 20
LONG_S = 900
PILOT_S = 240
BLOCK_S = 20


def test_of_pairs_of_alike_runs_hardly_any_looks_like_a_regression(tmp_path: Path) -> None:
    alarms = 0
    for number in range(PAIRS):
        a, b = (written(tmp_path, 1000 + 2 * number + side, LIKE) for side in (0, 1))
        # Without a margin: what is counted is the intervals' own honesty.
        alarms += bool(compare([a], [b], margin_ratio=0.0).of("regression"))
    print(f"{alarms} false regressions in {PAIRS} pairs of alike runs")
    # One in a hundred is promised; two of twenty would happen once in sixty times then.
    assert alarms <= 1


def resampled(cells: Cells, seconds: int, slower_ratio: float, random: np.random.Generator) -> Cells:
    """A run of so many seconds, drawn from a long one in blocks; its pages take `slower_ratio` times as long."""
    firsts = random.integers(sum(cells.lengths) - BLOCK_S, size=-(-seconds // BLOCK_S))
    rows = (firsts[:, np.newaxis] + np.arange(BLOCK_S)).ravel()[:seconds]
    return replace(
        cells,
        lengths=(seconds,),
        latencies={
            kind: Counted(counted.counts[rows], counted.values_ms * slower_ratio)
            for kind, counted in cells.latencies.items()
        },
        asked={kind: counts[rows] for kind, counts in cells.asked.items()},
        failed={kind: counts[rows] for kind, counts in cells.failed.items()},
        arrived=cells.arrived[rows],
        paid=cells.paid[rows],
    )


def coarse(counted: Counted) -> Counted:
    """The same latencies in a quarter of the buckets."""
    firsts = np.arange(0, len(counted.values_ms), 4)
    return Counted(np.add.reduceat(counted.counts, firsts, axis=1), counted.values_ms[firsts])


def p95_of(a: Cells, b: Cells) -> Compared:
    found = {each.figure: each for each in judge(a, b, 0.03).figures}
    return found[Figure(ALL, "p95")]


def test_a_p95_that_is_a_tenth_slower_is_found_at_the_length_that_is_recommended(tmp_path: Path) -> None:
    """A short pair recommends a length; a hundred pairs of that length are drawn, and at least ninety find it."""
    like = replace(LIKE, steady_s=LONG_S, second_sd=0.03, requests_per_s=60.0)
    cells = cells_of([read(written(tmp_path, 7, like))], 1)
    random = np.random.default_rng(11)
    # Page kinds of their own and a thousandth's precision would only cost time.
    cells = replace(
        cells,
        latencies={ALL: coarse(cells.latencies[ALL])},
        asked={ALL: cells.asked[ALL]},
        failed={ALL: cells.failed[ALL]},
    )
    advised: Advice | None = p95_of(
        resampled(cells, PILOT_S, 1.0, random), resampled(cells, PILOT_S, 1.0, random)
    ).needed
    assert advised is not None
    assert (advised.runs, 30 <= advised.steady_s <= LONG_S) == (1, True)
    found = 0
    for _ in range(100):
        a, slower = (resampled(cells, advised.steady_s, ratio, random) for ratio in (1.0, 1.1))
        found += p95_of(a, slower).outcome == "regression"
    print(f"{found} of 100 planted regressions found at {advised.steady_s} s")
    assert found >= 90
