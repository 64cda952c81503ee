"""The Universal Scalability Law, fitted to throughputs at several loads, with 95 % intervals; pure.

    X(N) = λ N / (1 + σ (N - 1) + κ N (N - 1))

(N. J. Gunther, A General Theory of Computational Scalability Based on Rational Functions, arXiv:0808.1431, 2008). N is
how many are served at once (sessions or requests in the system, or workers), not an arrival rate; from a step of a
study it is throughput x response time (Little's law). λ is the throughput of one, σ contention, κ what coherence costs.

N / X(N) is linear in 1/λ, σ/λ and κ/λ, none of which is negative: non-negative least squares on relative errors give
them, and what resampled residuals give is their interval (B. Efron and R. J. Tibshirani, An Introduction to the
Bootstrap, 1993, chapter 9), blown up by sqrt(n / (n - 3)) for the three that were fitted.
"""

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np
from scipy.optimize import nnls

from analysis.bootstrap import INTERVAL, FloatArray
from loadgen.records import Json

_PARAMETERS = 3
LEAST_LOADS = 6
# At the highest load each of them must have lost so much of what it would do alone, or nothing has bent yet.
_LEAST_BEND_RATIO = 0.1
_REPLICATES = 1000
_REWEIGHTED = 3
_HELD_OUT_RATIO = 0.25
_SEED = 1


@dataclass(frozen=True, slots=True)
class Parameter:
    """A fitted value with its 95 % interval."""

    value: float
    low: float
    high: float

    def as_json(self) -> dict[str, Json]:
        """The parameter as it stands in a summary."""
        return {"value": self.value, "low": self.low, "high": self.high}


@dataclass(frozen=True, slots=True)
class NotIdentifiable:
    """Why the law cannot be fitted to these measurements, and what would help: a sentence."""

    sentence: str


@dataclass(frozen=True, slots=True)
class Usl:
    """The fitted law. `fitted_ratio` is the typical relative error at the loads it was fitted to.

    `held_out_ratio` is the largest relative error at the top loads of a fit to the lower ones alone; None where those
    alone do not show the bend.
    """

    throughput_of_one: Parameter
    contention: Parameter
    coherence: Parameter
    highest_load: float
    fitted_ratio: float
    held_out_ratio: float | None

    def throughput_at(self, load: float) -> float:
        """X(N)."""
        return float(_throughput(np.array([load]), self._values)[0])

    @property
    def peak_load(self) -> float | None:
        """The load beyond which throughput falls; None where it only levels off."""
        sigma, kappa = self.contention.value, self.coherence.value
        return math.sqrt((1 - sigma) / kappa) if kappa > 0 and sigma < 1 else None

    @property
    def peak_throughput(self) -> float:
        """The most that is ever reached: at the peak, or as a limit (λ/σ) where there is none."""
        if (load := self.peak_load) is not None:
            return self.throughput_at(load)
        return self.throughput_of_one.value / self.contention.value if self.contention.value else math.inf

    @property
    def _values(self) -> FloatArray:
        return np.array([self.throughput_of_one.value, self.contention.value, self.coherence.value])

    def as_json(self) -> dict[str, Json]:
        """The law as it stands in a study's summary.json; κ in millionths, of which six decimals are left."""
        return {
            "lambda": self.throughput_of_one.as_json(),
            "sigma": self.contention.as_json(),
            "kappa_millionths": Parameter(*(1e6 * of for of in astuple(self.coherence))).as_json(),
            "peak_load": self.peak_load,
            "peak_throughput": self.peak_throughput,
            "highest_load": self.highest_load,
            "fitted_ratio": self.fitted_ratio,
            "held_out_ratio": self.held_out_ratio,
        }


def fit(loads: Sequence[float], throughputs: Sequence[float], *, seed: int = _SEED) -> Usl | NotIdentifiable:
    """The law through these measurements, or why there is none. ValueError where the two differ in length.

    Loads are above 0; several measurements may share one. The same seed gives the same intervals.
    """
    if len(loads) != len(throughputs):
        raise ValueError(f"{len(loads)} loads and {len(throughputs)} throughputs: there must be as many of each")
    n, x = np.asarray(loads, dtype=np.float64), np.asarray(throughputs, dtype=np.float64)
    order = np.argsort(n, kind="stable")
    n, x = n[order], x[order]
    if refusal := _unusable(n, x):
        return NotIdentifiable(refusal)
    solved, replicates = _fitted(n, x, seed)
    if refusal := _unbent(n, replicates):
        return NotIdentifiable(refusal)
    low, high = np.percentile(replicates, INTERVAL, axis=0)
    of_one, sigma, kappa = [
        Parameter(float(value), min(float(least), float(value)), max(float(most), float(value)))
        for value, least, most in zip(solved, low, high, strict=True)
    ]
    errors = np.abs(_throughput(n, solved) / x - 1)
    return Usl(of_one, sigma, kappa, float(n[-1]), float(np.sqrt(np.mean(errors**2))), _held_out(n, x, seed))


def _unusable(n: FloatArray, x: FloatArray) -> str | None:
    """What keeps measurements from being fitted at all."""
    if not (np.isfinite(n).all() and np.isfinite(x).all()) or (n <= 0).any() or (x <= 0).any():
        return "Scalability cannot be told: every load and throughput must be a number above 0."
    count = len(np.unique(n))
    if count < LEAST_LOADS:
        return (
            f"Scalability cannot be told from {count} different load{'' if count == 1 else 's'}: "
            f"three figures are to be found, so measure at {LEAST_LOADS} or more."
        )
    return None


def _unbent(n: FloatArray, replicates: FloatArray) -> str | None:
    """Whether throughput may still grow in proportion at the highest load: then σ and κ are noise."""
    efficiency = _throughput(n[-1:], replicates.T) / (replicates[:, 0] * n[-1])
    best, typical = float(np.percentile(efficiency, INTERVAL[1])), float(np.median(efficiency))
    if best <= 1 - _LEAST_BEND_RATIO:
        return None
    return (
        f"Scalability cannot be told: up to the highest load, {n[-1]:g}, throughput grows almost in proportion to it "
        f"(at {typical:.0%} of that, perhaps {min(best, 1.0):.0%}), so all loads lie below saturation; "
        "measure at higher ones."
    )


def _fitted(n: FloatArray, x: FloatArray, seed: int) -> tuple[FloatArray, FloatArray]:
    """λ, σ, κ, and the same of each replicate."""
    solved = _solve(n, x)
    fitted = _throughput(n, solved)
    residuals = (x / fitted - 1) * math.sqrt(len(n) / (len(n) - _PARAMETERS))
    residuals -= residuals.mean()
    generator = np.random.default_rng(seed)
    drawn = generator.choice(residuals, size=(_REPLICATES, len(n)))
    return solved, np.array([_solve(n, fitted * np.maximum(1 + one, 1e-3)) for one in drawn])


def _solve(n: FloatArray, x: FloatArray) -> FloatArray:
    """λ, σ, κ of the least relative errors in throughput.

    The error of N/X relative to what was measured leans to one side; relative to what was fitted it does not, so the
    weights are taken from the fit before.
    """
    columns = np.column_stack([np.ones_like(n), n - 1, n * (n - 1)])
    told = n / x
    weights = 1 / told
    for _ in range(_REWEIGHTED):
        weighted = columns * weights[:, np.newaxis]
        scale = np.linalg.norm(weighted, axis=0)
        scale[scale == 0] = 1.0
        solution, _ = nnls(weighted / scale, told * weights)
        solution = solution / scale
        weights = 1 / np.maximum(columns @ solution, 1e-12 * told.max())
    one = max(float(solution[0]), 1e-9 * float(told.min()))
    return np.array([1 / one, solution[1] / one, solution[2] / one])


def _throughput(n: FloatArray, values: FloatArray) -> FloatArray:
    of_one, sigma, kappa = values
    return np.asarray(of_one * n / (1 + sigma * (n - 1) + kappa * n * (n - 1)), dtype=np.float64)


def _held_out(n: FloatArray, x: FloatArray, seed: int) -> float | None:
    """The largest relative error at the top quarter of the loads, by a fit that never saw them."""
    different = np.unique(n)
    top = different[-max(1, math.floor(_HELD_OUT_RATIO * len(different))) :]
    seen = n < top[0]
    if _unusable(n[seen], x[seen]):
        return None
    solved, replicates = _fitted(n[seen], x[seen], seed)
    if _unbent(n[seen], replicates):
        return None
    return float(np.max(np.abs(_throughput(n[~seen], solved) / x[~seen] - 1)))
