"""How many seconds that follow each other are alike: the length of the blocks that are drawn again; pure.

The automatic rule for the circular block bootstrap of Politis and White (Automatic block-length selection for the
dependent bootstrap, Econometric Reviews 23, 2004) with the correction of Patton, Politis and White (28, 2009).
"""

import math
from collections.abc import Sequence

import numpy as np

from analysis import bootstrap
from analysis.bootstrap import FloatArray
from analysis.difference.steady_cells import Cells
from analysis.steady_seconds import ALL
from loadgen.objectives import PERCENTILES

_PERCENTS = tuple(PERCENTILES[name] for name in ("p50", "p95", "p99"))
# Of fewer blocks than these a resampled run would be one of a handful of possible ones.
_LEAST_BLOCKS = 6


def block_length(sides: Sequence[Cells]) -> int:
    """Cells per block for both sides: what the least independent figure over all requests asks for.

    Figures of one page kind are of the same seconds, and being of fewer requests more of their own noise. Never below
    the cube root of the number of cells (Hall, Horowitz and Jing 1995), never so long that fewer than six remain.
    """
    shortest = min(length for side in sides for length in side.lengths)
    wanted = [bootstrap.block_length(shortest)]
    for side in sides:
        first = 0
        for length in side.lengths:
            wanted += [optimal(series[first : first + length]) for series in _influences(side)]
            first += length
    return max(1, min(max(wanted), shortest // _LEAST_BLOCKS))


def _influences(side: Cells) -> list[FloatArray]:
    """What each cell adds to a figure: requests beyond a percentile less those expected, and requests answered well."""
    found: list[FloatArray] = [side.ok]
    if ALL in side.latencies:
        counted = side.latencies[ALL]
        totals, running = counted.counts.sum(axis=1), np.cumsum(counted.counts.sum(axis=0))
        for percent in _PERCENTS:
            at = int(np.searchsorted(running, percent / 100 * running[-1]))
            found.append(counted.counts[:, at + 1 :].sum(axis=1) - totals * (1 - running[at] / running[-1]))
    return found


def optimal(series: FloatArray) -> int:
    """The block length that estimates the variance of a series' mean best; 1 where it never changes."""
    count = len(series)
    centred = series - series.mean()
    if count < 4 or not centred.any():
        return 1
    most = math.ceil(min(3 * math.sqrt(count), count / 3))
    looked = max(5, math.ceil(math.log10(count)))
    lags = min(count - 1, 2 * (math.ceil(math.sqrt(count)) + looked))
    covariances = np.array([float(centred[lag:] @ centred[: count - lag]) / count for lag in range(lags + 1)])
    bandwidth = min(lags, 2 * _last_correlated(covariances / covariances[0], count, looked))
    steps = np.arange(1, bandwidth + 1)
    window = np.minimum(1.0, 2 * (1 - steps / max(1, bandwidth)))  # flat to half the bandwidth, then falling to nothing
    long_run = covariances[0] + 2 * float(window @ covariances[1 : bandwidth + 1])
    bias = 2 * float((window * steps) @ covariances[1 : bandwidth + 1])
    if long_run <= 0 or bias == 0:
        return 1
    wanted = math.ceil(math.cbrt(2 * bias**2 / (4 / 3 * long_run**2) * count))
    return max(1, min(most, wanted))


def _last_correlated(correlations: FloatArray, count: int, looked: int) -> int:
    """The last lag before `looked` of them in a row are within what chance gives; at least 1."""
    alike = np.abs(correlations[1:]) < 2 * math.sqrt(math.log10(count) / count)
    for lag in range(len(alike) - looked + 1):
        if alike[lag : lag + looked].all():
            return max(1, lag)
    return max(1, len(alike) - looked)
