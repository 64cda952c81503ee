"""What curves over time show of values that stand alone."""

import numpy as np

from reports.charts.timeline import alone


def test_values_without_a_neighbour_are_marked() -> None:
    nothing = np.nan
    assert alone(np.array([1.0, nothing, 2.0, 3.0, nothing, nothing, 4.0])) == [0, 6]
    assert alone(np.array([5.0])) == [0]
    assert alone(np.array([nothing, nothing])) == []
    assert alone(np.array([1.0, 2.0])) == []
