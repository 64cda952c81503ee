"""A capacity study made by hand: a search whose every figure is known beforehand.

Five steps of ten seconds that count, each after five of warm-up. A session is answered four requests; every tenth of
them orders. Up to 10 sessions per second all is answered in 20 ms; at 12 it takes 400 ms, at 15 half of it fails.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from loadgen.capacity_study import (
    CAPACITY,
    CapacityManifest,
    CapacityRecord,
    SearchOptions,
    SearchPart,
    SearchStep,
    SetAside,
)
from loadgen.records import Json
from loadgen.studydir import StudyDirectory
from tests.recorded_run import MANIFEST, STARTED_AT, History

P95, FAILED = "response_time_ms.all.p95 < 300", "failed_ratio < 0.01"
SCENARIO = """[objectives]
response_time_ms.all.p95 = "< 300"
failed_ratio = "< 0.01"
orders.per_h = ">= 1000"
"""
STEP_S, SETTLING_S, WARMUP_S = 15, 5, 10
# rate, purpose, outcome, by which objective, milliseconds of an answer, requests of each 4 that fail
STEPS: tuple[tuple[int, str, str, str | None, float, int], ...] = (
    (5, "bracket", "holds", None, 20.0, 0),
    (10, "bracket", "holds", None, 20.0, 0),
    (15, "bracket", "fails", FAILED, 900.0, 2),
    (12, "narrow", "fails", P95, 400.0, 0),
    (10, "edge", "holds", None, 20.0, 0),
)
FOUND = CapacityRecord("found", 11.0, 10.5, 11.5, 0.95, "collapses", "The shop holds 11 sessions/s.", ())
CAPACITY_MANIFEST = CapacityManifest(
    scenario="evening",
    seed=7,
    target="http://127.0.0.1:8080",
    options=SearchOptions(5.0, 0.5, 100.0, 0.05, 0.95, 420.0, 1),
    searched=(P95, FAILED),
    set_aside=(SetAside("orders.per_h >= 1000", "it grows with the load that is offered"),),
    started_at=STARTED_AT,
    command="lonjak capacity evening --seed 7",
    changed=("Its faults are left out (kill-worker).",),
    parts=(SearchPart(outcome="measured"),),
    ended_at=STARTED_AT + 100,
    complete=True,
)


@dataclass
class CapacityStudy:
    """What a search recorded; to be changed before `write`."""

    record: CapacityRecord = FOUND
    manifest: CapacityManifest = CAPACITY_MANIFEST
    steps: tuple[tuple[int, str, str, str | None, float, int], ...] = STEPS
    changed: Callable[[History], None] = lambda history: None

    def write(self, root: Path) -> StudyDirectory:
        """The study's directory."""
        study = StudyDirectory.create(root, CAPACITY, datetime(2026, 11, 23, 8, 15, tzinfo=UTC))
        self.manifest.write(study.manifest)
        replace(self.record, steps=tuple(map(self._step, range(len(self.steps))))).write(study.capacity)
        run = self._history().write(root / "elsewhere")
        study.part(self.manifest.parts[0]).path.parent.mkdir()
        run.path.rename(study.part(self.manifest.parts[0]).path)
        return study

    def _step(self, index: int) -> SearchStep:
        rate, purpose, outcome, decided_by, _, _ = self.steps[index]
        from_s = WARMUP_S + index * STEP_S
        reason = f"{decided_by} did not hold" if decided_by else "every objective held"
        return SearchStep(
            index,
            float(rate),
            purpose,
            from_s,
            from_s + SETTLING_S,
            from_s + STEP_S,
            "holds" if outcome == "holds" else "fails" if outcome == "fails" else "unknown",
            reason,
            decided_by,
        )

    def _history(self) -> History:
        end_s = WARMUP_S + len(self.steps) * STEP_S
        plan = replace(MANIFEST.plan, rate_per_s=5.0, duration_s=500.0, warmup_s=float(WARMUP_S), drain_s=10.0)
        history = History(manifest=replace(MANIFEST, plan=plan, ended_at=STARTED_AT + end_s), objectives=SCENARIO)
        for second in range(end_s):
            step = self.steps[max(0, second - WARMUP_S) // STEP_S]
            self._second(history, second, step)
        history.event(float(end_s), "arrivals_ended")
        self.changed(history)
        return history

    def _second(self, history: History, second: int, step: tuple[int, str, str, str | None, float, int]) -> None:
        rate, _, _, _, answer_ms, failing = step
        history.ok_ms[second, "product"] = [answer_ms] * (rate * (4 - failing))
        if failing:
            history.failed[second, "product"] = {"http_5xx": rate * failing}
        history.loop_lag_ms[second] = 2.0
        history.schedule_lag_ms[second] = 1.0
        history.funnel.append(
            {"elapsed_s": second, "segment": "web", "arrived_count": rate, "finished_count": rate, "paid_s_sum": 0.0}
        )
        history.tiers += [
            process(second, "shop", 0.08 * rate),
            process(second, "database", 0.02 * rate),
            process(second, "generator", 0.03 * rate),
        ]
        if second % 10 == 0:
            for number in range(rate):
                history.order(1000 * second + number, at_s=second + 0.5)
                history.book(1000 * second + number)


def process(second: int, tier: str, cpu_ratio: float) -> dict[str, Json]:
    """What one process of a tier used in a second."""
    row: dict[str, Json] = {"elapsed_s": second, "tier": tier, "role": f"{tier}-1", "pid": 1, "cpu_ratio": cpu_ratio}
    return {**row, "memory_bytes": 2**26}
