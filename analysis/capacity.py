"""A capacity study's directory in, its curve, orders, objectives that were left and verdict out: the door for capacity.

`capacity` computes, `documents` are the study's summary.json and verdict.json. Its run is analysed as by itself. What
explains the limit (a fitted law, the tier that gave out first) is computed here from `curve` and the run's recording.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from analysis import canonical
from analysis.capacity_curve import CapacityCurve, capacity_curve
from analysis.recording import Recording, read
from analysis.run import Analysis, analyse
from loadgen.capacity_study import CapacityManifest, CapacityRecord
from loadgen.objectives import Decision, Figures, decide
from loadgen.objectives import Verdict as Outcome
from loadgen.records import Json
from loadgen.studydir import StudyDirectory

SCHEMA_VERSION = 1
Cause: TypeAlias = Literal["audit", "safety", "interrupted", "incomplete", "below", "objectives", "generator", "search"]


@dataclass(frozen=True, slots=True)
class OrdersPerMin:
    """The capacity in orders: that in sessions times orders per session; an end that nothing bounds is None."""

    at: float | None
    low: float | None
    high: float | None

    def as_json(self) -> dict[str, Json]:
        """The figure as it stands in summary.json."""
        return {"value": self.at, "low": self.low, "high": self.high}


@dataclass(frozen=True, slots=True)
class CapacityVerdict:
    """`cause` is None for a pass; `reasons` are sentences, the deciding one first."""

    verdict: Outcome
    cause: Cause | None
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CapacityAnalysis:
    """Everything the documents show; `left` are the objectives that no step was held against, decided where it held.

    `run` is the search's one run as a run by itself.
    """

    manifest: CapacityManifest
    record: CapacityRecord
    curve: CapacityCurve
    orders_per_min: OrdersPerMin | None
    left: tuple[Decision, ...]
    run: Analysis
    verdict: CapacityVerdict

    @property
    def first_failure(self) -> str | None:
        """The objective that decided at the lowest rate that failed, as written."""
        failed = [step for step in self.record.steps if step.outcome == "fails" and step.decided_by]
        return min(failed, key=lambda step: step.rate_per_s).decided_by if failed else None


def capacity(study: StudyDirectory) -> CapacityAnalysis:
    """The study from its files alone; RunDirectoryProblem when they are damaged but for a torn end."""
    manifest, record = CapacityManifest.read(study.manifest), CapacityRecord.read(study.capacity)
    directory = study.part(manifest.parts[0])
    recording, run = read(directory), analyse(directory)
    curve = capacity_curve(recording, record)
    left = _left(recording, manifest, curve, run)
    return CapacityAnalysis(
        manifest=manifest,
        record=record,
        curve=curve,
        orders_per_min=_orders_per_min(record, curve),
        left=left,
        run=run,
        verdict=_verdict(manifest, record, left, run),
    )


def documents(study: StudyDirectory, analysis: CapacityAnalysis) -> dict[Path, str]:
    """The texts of summary.json and verdict.json; the same files of a study give the same bytes."""
    return {study.summary: canonical.text(_summary(analysis)), study.verdict: canonical.text(_verdict_json(analysis))}


def _orders_per_min(record: CapacityRecord, curve: CapacityCurve) -> OrdersPerMin | None:
    """None when nobody ordered, or nothing held."""
    of_session = curve.orders_per_session
    if not of_session or record.rate_per_s is None:
        return None
    rates = (record.rate_per_s, record.low_per_s, record.high_per_s)
    return OrdersPerMin(*(None if rate is None else rate * of_session * 60 for rate in rates))


def _left(
    recording: Recording, manifest: CapacityManifest, curve: CapacityCurve, run: Analysis
) -> tuple[Decision, ...]:
    """What no step was held against, over the seconds of the highest load that held; leaks over the whole run."""
    set_aside = {entry.objective for entry in manifest.set_aside}
    objectives = [objective for objective in recording.objectives if str(objective) in set_aside]
    point = curve.highest_held
    figures: Mapping[str, Figures] = {}
    if point is not None:
        tally = recording.tally(point.step.settled_s, point.step.until_s)
        figures = tally.figures(float(point.counted_s))
    judged: dict[str, Figures] = {**figures, "safety": run.safety.figures}
    return tuple(decide(objective, judged) for objective in objectives)


def _verdict(
    manifest: CapacityManifest, record: CapacityRecord, left: tuple[Decision, ...], run: Analysis
) -> CapacityVerdict:
    """The first ground that applies decides: broken books, leaks, the study's end, the search, what it left."""
    grounds = list(_grounds(manifest, record, left, run))
    if not grounds:
        return CapacityVerdict("pass", None, (record.sentence,))
    outcome, cause, _ = grounds[0]
    return CapacityVerdict(outcome, cause, tuple(sentence for _, _, sentence in grounds))


def _grounds(
    manifest: CapacityManifest, record: CapacityRecord, left: tuple[Decision, ...], run: Analysis
) -> Iterator[tuple[Outcome, Cause, str]]:
    yield from (("fail", "audit", violation) for violation in run.audit.violations)
    yield from (("fail", "safety", violation) for violation in run.safety.violations)
    if manifest.interrupted:
        yield "unknown", "interrupted", f"The search was interrupted. {record.sentence}"
    elif not manifest.complete:
        yield "unknown", "incomplete", f"The search was never closed. {record.sentence}"
    if record.found == "below":
        yield "fail", "below", record.sentence
    elif record.found != "found":
        limited = any(step.outcome == "unknown" for step in record.steps)
        yield "unknown", "generator" if limited and not run.health.sufficient else "search", record.sentence
    yield from (("fail", "objectives", f"{one.reason}.") for one in left if one.outcome == "fail")


def _verdict_json(analysis: CapacityAnalysis) -> dict[str, Json]:
    verdict = analysis.verdict
    return {
        "schema_version": SCHEMA_VERSION,
        "verdict": verdict.verdict,
        "cause": verdict.cause,
        "reasons": list(verdict.reasons),
        "left": [
            {"objective": str(one.objective), "value": one.value, "outcome": one.outcome, "reason": one.reason}
            for one in analysis.left
        ],
        "audit": analysis.run.audit.as_json(),
    }


def _summary(analysis: CapacityAnalysis) -> dict[str, Json]:
    manifest, record, curve = analysis.manifest, analysis.record, analysis.curve
    return {
        "schema_version": SCHEMA_VERSION,
        "study": {
            "kind": manifest.kind,
            "scenario": manifest.scenario,
            "seed": manifest.seed,
            "target": manifest.target,
            "started_at": manifest.started_at,
            "options": asdict(manifest.options),
        },
        "capacity": {
            "found": record.found,
            "sessions_per_s": {"value": record.rate_per_s, "low": record.low_per_s, "high": record.high_per_s},
            "orders_per_min": analysis.orders_per_min.as_json() if analysis.orders_per_min else None,
            "confidence": record.confidence,
            "beyond": record.beyond,
            "first_failure": analysis.first_failure,
        },
        "curve": [point.as_json() for point in curve.points],
        "saturates_per_s": curve.saturates_per_s,
        "peak_goodput_per_s": curve.peak.goodput_per_s if curve.peak else None,
        "orders_per_session": curve.orders_per_session,
    }
