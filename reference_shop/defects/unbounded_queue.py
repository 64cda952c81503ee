"""unbounded-queue: whoever finds no place waits, however many do, and nobody acts on how long they wait.

A queue that holds everything is an innocent default. Load shedding is switched on and would see it; that it is never
told of a delay is the same mistake once more. The shop turns nobody away, except where payments have places of their
own, and serves those who have left already: goodput falls to nothing while throughput looks well.
"""

import sys
from typing import Any

from starlette.types import ASGIApp

from reference_shop.admission import Admission
from reference_shop.defects._planting import replace
from reference_shop.protections import guarded_app
from reference_shop.protections.load_shedding import DelayLimit

_AN_HOUR_S = 3600.0


class _EndlessQueue(Admission):
    """Takes everybody in."""

    def __init__(self, app: ASGIApp, refuse: ASGIApp, **named: Any) -> None:
        super().__init__(app, refuse, **{**named, "queue_length": sys.maxsize, "queue_s": _AN_HOUR_S})


def _learn_nothing(_limit: DelayLimit, *_measured: float) -> None:
    pass


def plant() -> None:
    """Replace the places, the length of their queue, and the ear of what acts on delays."""
    replace(guarded_app, "Admission", _EndlessQueue)
    replace(guarded_app, "queue_length_for", lambda _: sys.maxsize)
    replace(DelayLimit, "observe", _learn_nothing)
