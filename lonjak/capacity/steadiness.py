"""Has a step come to rest? A queue that still grows has no response time that could be judged."""

import math
from collections.abc import Sequence
from statistics import fmean

from lonjak.capacity.sequential import MOST_BATCHES, batch_means, correlation
from lonjak.capacity.student import t_quantile

LEAST_S = 8
_SURE = 0.99
_RISE_RATIO = 0.5


def grows(response_times_s: Sequence[float]) -> bool:
    """Whether response times rise over the seconds: by half their mean at least, and by more than chance explains.

    A straight line through means of batches; its slope's error counts what the batches' scatter about it remembers from
    one to the next. False when there are fewer than 8 seconds.
    """
    if len(response_times_s) < LEAST_S:
        return False
    values = batch_means(response_times_s, math.ceil(len(response_times_s) / MOST_BATCHES))
    middle, mean = (len(values) - 1) / 2, fmean(values)
    spread = math.fsum((place - middle) ** 2 for place in range(len(values)))
    slope = math.fsum((place - middle) * value for place, value in enumerate(values)) / spread
    if slope * len(values) < _RISE_RATIO * mean or mean <= 0:
        return False
    rest = [value - mean - slope * (place - middle) for place, value in enumerate(values)]
    alike = correlation(rest)
    degrees = len(values) * (1 - alike) / (1 + alike) - 2
    error = math.sqrt(math.fsum(value**2 for value in rest) / (len(values) - 2) / spread * (1 + alike) / (1 - alike))
    return slope > t_quantile(_SURE, degrees) * error
