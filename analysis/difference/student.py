"""Quantiles of the normal and of Student's distribution; pure."""

from statistics import NormalDist

import numpy as np

from analysis.bootstrap import FloatArray

_NORMAL = NormalDist()
# From here on the two are the same to the third digit, also far out.
_MOST_FREEDOM = 2000.0
# Values at which the tail is summed, from the far end to the middle: logarithmic far out, even in the middle.
_VALUES = np.sinh(np.linspace(float(np.arcsinh(1e9)), 0.0, 4001))


def normal_quantile(probability: float) -> float:
    """The value that a standard normal stays below with a probability of 0..1."""
    return _NORMAL.inv_cdf(probability)


def normal_tail(value: float) -> float:
    """The probability that a standard normal lies above a value."""
    return _NORMAL.cdf(-value)


def student_quantiles(tail: float, freedom: FloatArray) -> FloatArray:
    """What Student's t with each of these degrees of freedom (at least 1) exceeds with the probability `tail` <= 0.5.

    With t = sqrt(n) tan(x) the density of x is that of cos(x)**(n - 1), which is summed here (Student 1908).
    """
    found = np.array([_quantile(tail, min(max(1.0, float(degrees)), _MOST_FREEDOM)) for degrees in freedom])
    return found.reshape(np.shape(freedom))


def _quantile(tail: float, degrees: float) -> float:
    angles = np.arctan(_VALUES / np.sqrt(degrees))
    density = np.cos(angles) ** (degrees - 1)
    steps = (density[1:] + density[:-1]) / 2 * -np.diff(angles)
    tails = np.concatenate([[0.0], np.cumsum(steps)]) / (2 * steps.sum())
    return float(np.interp(tail, tails, _VALUES))
