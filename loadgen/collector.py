"""Python's garbage collector, kept from holding up a load loop.

A full pass looks at every object of every shopper: 130 ms for 12,500 of them. What a run makes is freed when nobody
refers to it any more; cycles are mostly found young, and old ones wait for the end of the run.
"""

import gc

_YOUNG = 2_000  # objects more than before, until those are looked at: 0.2 ms
_OLDER = 5  # such passes, until their survivors are looked at: 4 ms at most
_NEVER = 1_000_000


def quieten() -> None:
    """Leave what is there alone from now on, and look at what is new in small portions only."""
    gc.freeze()  # without a full pass first: second 0 may have begun
    gc.set_threshold(_YOUNG, _OLDER, _NEVER)


def restore() -> None:
    """Collect as Python does by itself."""
    gc.unfreeze()
    gc.set_threshold(700, 10, 10)
