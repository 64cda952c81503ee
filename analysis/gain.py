"""What one edge profile gains over another; pure."""

from dataclasses import dataclass

from analysis.bootstrap import Estimate
from analysis.compared import ProfileFigures
from analysis.steady_seconds import CATALOGUE


@dataclass(frozen=True, slots=True)
class Gain:
    """How much sooner, how much less; negative where it is more, None where either was not measured.

    `p95_saved_ms` is of catalogue pages, and told apart when the two intervals do not meet; `origin_spared_ratio` and
    `cpu_saved_ratio` are shares of what the other one cost.
    """

    p95_saved_ms: float | None
    p95_told_apart: bool
    origin_spared_ratio: float | None
    cpu_saved_ratio: float | None


def gain(figures: ProfileFigures, over: ProfileFigures) -> Gain:
    """What `figures` gain over another profile under the same load."""
    ours, theirs = figures.response(CATALOGUE, "p95"), over.response(CATALOGUE, "p95")
    saved_ms = None if ours.value is None or theirs.value is None else theirs.value - ours.value
    return Gain(
        p95_saved_ms=saved_ms,
        p95_told_apart=not ours.overlaps(theirs),
        origin_spared_ratio=_spared(_forwarded(figures.spared_ratio), _forwarded(over.spared_ratio)),
        cpu_saved_ratio=_spared(figures.cpu_total.value, over.cpu_total.value),
    )


def _forwarded(spared_ratio: Estimate) -> float | None:
    return None if spared_ratio.value is None else 1 - spared_ratio.value


def _spared(ours: float | None, theirs: float | None) -> float | None:
    return None if ours is None or not theirs else 1 - ours / theirs
