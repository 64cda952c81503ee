"""Drawing the cells of a side again: in blocks within each run, and runs first where there are several; pure.

The circular block bootstrap (Politis and Romano 1992). Drawn `within` runs, each run stays; drawn `over` runs, runs are
drawn first and blocks within them (Davison and Hinkley, Bootstrap Methods and their Application, 1997, section 3.8),
which shows how runs differ from each other as well.
"""

from collections.abc import Sequence

import numpy as np

from analysis.bootstrap import FloatArray

REPLICATES = 2000


def within_runs(lengths: Sequence[int], block: int, generator: np.random.Generator) -> FloatArray:
    """How often each cell counts in each replicate, every run as often as it was run: [replicate, cell]."""
    return np.hstack([_blocks(length, block, REPLICATES, generator) for length in lengths])


def over_runs(lengths: Sequence[int], block: int, generator: np.random.Generator) -> FloatArray:
    """The same with runs drawn first, as many as there are."""
    starts = np.concatenate([[0], np.cumsum(lengths)])
    drawn = np.zeros((REPLICATES, int(starts[-1])))
    chosen = generator.integers(len(lengths), size=(REPLICATES, len(lengths)))
    for run, length in enumerate(lengths):
        times = (chosen == run).sum(axis=1)
        for turn in range(1, len(lengths) + 1):
            rows = np.flatnonzero(times >= turn)
            drawn[rows, starts[run] : starts[run + 1]] += _blocks(length, block, len(rows), generator)
    return drawn


def _blocks(length: int, block: int, replicates: int, generator: np.random.Generator) -> FloatArray:
    """Each row draws as many cells of a run as it has, in blocks that may run over its end into its beginning."""
    firsts = generator.integers(length, size=(replicates, -(-length // block)))
    cells = ((firsts[:, :, np.newaxis] + np.arange(block)) % length).reshape(replicates, -1)[:, :length]
    flat = cells + length * np.arange(replicates)[:, np.newaxis]
    return np.bincount(flat.ravel(), minlength=replicates * length).reshape(replicates, length).astype(np.float64)
