"""Quantiles of Student's t distribution, without SciPy."""

from statistics import NormalDist


def t_quantile(probability: float, degrees: float) -> float:
    """The value that a t variable of `degrees` (3 or more; fewer count as 3) stays below with `probability`.

    Cornish and Fisher's expansion in Abramowitz and Stegun, Handbook of Mathematical Functions (1964), 26.7.5: within
    1 % of the exact value up to 0.99.
    """
    z, nu = NormalDist().inv_cdf(probability), max(3.0, degrees)
    return (
        z
        + (z**3 + z) / (4 * nu)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * nu**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * nu**3)
        + (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / (92160 * nu**4)
    )
