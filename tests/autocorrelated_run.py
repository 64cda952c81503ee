"""Runs whose seconds follow each other as those of real ones do, written in the recorder's own format; seeded.

The logarithm of every response time has a part that all of a second share, which goes on into the next second: an
autoregressive process of the first order, of which everything about its mean is known.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from loadgen.manifest import Plan
from loadgen.rundir import RunDirectory
from tests.recorded_run import MANIFEST, STARTED_AT, History

WARMUP_S = 5
# Median response times of page kinds, ms, and their share of requests.
PAGES = {"home": (15.0, 0.2), "product": (30.0, 0.5), "search": (60.0, 0.2), "checkout": (90.0, 0.1)}


@dataclass(frozen=True)
class Likeness:
    """How a run behaves: `carried_ratio` of a second's slowness is the one before's; `slower_ratio` slows all pages."""

    steady_s: int = 60
    requests_per_s: float = 40.0
    carried_ratio: float = 0.5
    second_sd: float = 0.1
    request_sd: float = 0.4
    slower_ratio: float = 1.0
    failed_ratio: float = 0.0
    paid_ratio: float = 0.3
    run_sd: float = 0.0


def history(seed: int, like: Likeness = Likeness()) -> History:
    """A run of its own seed; the same seed gives the same run."""
    random = np.random.default_rng(seed)
    total = WARMUP_S + like.steady_s
    made = History(
        manifest=replace(
            MANIFEST,
            plan=Plan("partly-open", 2.0, float(total), float(WARMUP_S), 0.0),
            started_at=STARTED_AT + 1000.0 * seed,
            ended_at=STARTED_AT + 1000.0 * seed + total,
        )
    )
    slow = random.normal(0, like.second_sd)
    all_run = random.normal(0, like.run_sd)
    for second in range(total):
        slow = like.carried_ratio * slow + random.normal(0, like.second_sd * np.sqrt(1 - like.carried_ratio**2))
        for kind, (median_ms, share) in PAGES.items():
            count = int(random.poisson(like.requests_per_s * share))
            failed = int(random.binomial(count, like.failed_ratio))
            noise = random.normal(0, like.request_sd, count - failed)
            times = median_ms * like.slower_ratio * np.exp(slow + all_run + noise)
            if count - failed:
                made.ok_ms[second, kind] = [float(time) for time in times]
            if failed:
                made.failed[second, kind] = {"http_5xx": failed}
        _second_of_sessions(made, second, random, like)
    return made


def _second_of_sessions(made: History, second: int, random: np.random.Generator, like: Likeness) -> None:
    arrived = int(random.poisson(2.0))
    paid = int(random.binomial(arrived, like.paid_ratio))
    made.loop_lag_ms[second] = 2.0
    made.schedule_lag_ms[second] = 1.0
    steps = {f"{step}_count": paid for step in ("product", "cart", "checkout", "payment", "paid")}
    made.funnel.append(
        {"elapsed_s": second, "segment": "web", "arrived_count": arrived, "finished_count": arrived, **steps}
    )


def written(root: Path, seed: int, like: Likeness = Likeness()) -> RunDirectory:
    """The run directory of such a run."""
    return history(seed, like).write(root / str(seed))
