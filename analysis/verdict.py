"""pass, fail or unknown, with reasons; pure.

The first of these that applies decides: the target was refused; the run was interrupted; it is incomplete; its files
contradict each other; the audit failed (a lost order is lost, however slow the generator was); somebody was given what
was another's, or what another had planted; the generator was the bottleneck (its numbers would be its own), too many
sessions never began, or a law that holds for whatever was counted right does not hold; a stop rule gave the run up; an
objective failed; too little was measured; else pass.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from analysis.audit import Audit
from analysis.contradictions import contradictions
from analysis.health import Health
from analysis.judging import early_end
from analysis.recording import Recording
from analysis.safety import Safety
from analysis.validity import too_many_dropped
from loadgen.objectives import Decision
from loadgen.objectives import Verdict as Outcome
from loadgen.records import Json
from loadgen.stop_rules import Stop

SCHEMA_VERSION = 1
Cause: TypeAlias = Literal[
    "target_refused",
    "interrupted",
    "incomplete",
    "contradictory",
    "generator",
    "stopped",
    "objectives",
    "audit",
    "safety",
    "samples",
]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`cause` is None for a pass; `reasons` are sentences, the deciding one first.

    `stopped` says why a stop rule ended the run before its time, None where none did.
    """

    verdict: Outcome
    cause: Cause | None
    reasons: tuple[str, ...]
    decisions: tuple[Decision, ...]
    stopped: Stop | None = None

    @property
    def sentence(self) -> str:
        """The verdict and the reason that decided."""
        more = f" (and {len(self.reasons) - 1} more reasons)" if len(self.reasons) > 1 else ""
        return f"{self.verdict}: {self.reasons[0]}{more}"

    def as_json(self, audit: Audit) -> dict[str, Json]:
        """verdict.json."""
        return {
            "schema_version": SCHEMA_VERSION,
            "verdict": self.verdict,
            "cause": self.cause,
            "reasons": list(self.reasons),
            "objectives": [
                {
                    "objective": str(decision.objective),
                    "at_s": decision.at_s,
                    "value": decision.value,
                    "outcome": decision.outcome,
                    "reason": decision.reason,
                }
                for decision in self.decisions
            ],
            "stopped_early": self.stopped.as_json() if self.stopped else None,
            "audit": audit.as_json(),
        }


@dataclass(frozen=True, slots=True)
class _Ground:
    outcome: Outcome
    cause: Cause
    sentence: str


def verdict(
    recording: Recording,
    decisions: Sequence[Decision],
    audit: Audit,
    safety: Safety,
    health: Health,
    *,
    miscounted: Sequence[str] = (),
) -> Verdict:
    """Weighs everything found; every ground is told, the first one decides.

    `miscounted` are sentences of analysis.laws for what shows that the generator counted wrong.
    """
    stopped = early_end(recording)
    grounds = [
        *_no_run(recording, stopped),
        *(_Ground("fail", "audit", violation) for violation in audit.violations),
        *(_Ground("fail", "safety", violation) for violation in safety.violations),
        *_generator(health),
        *_turned_away(recording, health),
        *(_Ground("unknown", "generator", sentence) for sentence in miscounted),
        *([_Ground("fail", "stopped", stopped.sentence)] if stopped else ()),
        *(_Ground("fail", "objectives", _told(one)) for one in decisions if one.outcome == "fail"),
        *_doubts(decisions, audit),
    ]
    if not grounds:
        passed = "Every objective held." if decisions else "No objective was set, and nothing was found."
        return Verdict("pass", None, (passed,), tuple(decisions))
    reasons = tuple(ground.sentence for ground in grounds)
    return Verdict(grounds[0].outcome, grounds[0].cause, reasons, tuple(decisions), stopped)


def _no_run(recording: Recording, stopped: Stop | None) -> Iterator[_Ground]:
    """What keeps a record from being a whole run."""
    for event in recording.events_of("target_refused")[:1]:
        why = event.detail.get("reason") or event.detail.get("host") or recording.manifest.target
        yield _Ground("unknown", "target_refused", f"The target was refused: {why}.")
    if recording.manifest.interrupted:
        yield _Ground("unknown", "interrupted", f"The run was interrupted after {recording.end_s:.0f} s.")
    elif not recording.manifest.complete:
        told = f"The run is incomplete: its record ends after {recording.end_s:.0f} s without having been closed."
        yield _Ground("unknown", "incomplete", told)
    yield from (_Ground("unknown", "contradictory", told) for told in contradictions(recording))
    if recording.counters["request_count"].sum() == 0:
        yield _Ground("unknown", "samples", "No request was recorded.")
    elif recording.steady[0] >= recording.steady[1] and not stopped:
        yield _Ground("unknown", "samples", "The run ended before its steady phase began.")


def _generator(health: Health) -> Iterator[_Ground]:
    if not health.sufficient:
        yield _Ground("unknown", "generator", health.sentence)


def _turned_away(recording: Recording, health: Health) -> Iterator[_Ground]:
    """Too many who were due and never begun: what was offered is not what the run's plan says."""
    start_s, end_s = recording.steady
    rows = recording.funnel[recording.funnel["elapsed_s"].between(start_s, end_s - 1)]
    dropped, arrived = int(rows["dropped_count"].sum()), int(rows["arrived_count"].sum())
    if health.lost_count or not too_many_dropped(dropped, arrived):
        return
    told = (
        f"{dropped:,} of {dropped + arrived:,} sessions that were due never began, as the shop was full: "
        "raise session_cap (in the web UI: Number of users), or offer less."
    )
    yield _Ground("unknown", "generator", told)


def _doubts(decisions: Sequence[Decision], audit: Audit) -> Iterator[_Ground]:
    yield from (_Ground("unknown", "samples", _told(one)) for one in decisions if one.outcome == "unknown")
    yield from (_Ground("unknown", "audit", doubt) for doubt in audit.doubts)


def _told(decision: Decision) -> str:
    return f"{decision.reason}."
