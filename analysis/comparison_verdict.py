"""pass, fail or unknown for a whole comparison, with reasons; pure.

The first of these that applies decides: a caching profile leaked where it was expected to be safe (a leak is a leak,
however slow the generator was); the study was interrupted; parts of it are missing; a part has no verdict; every
profile failed or leaked; else pass.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from analysis.compared import MeasuredPart, ProfileFigures
from loadgen.edge_comparison import StudyManifest
from loadgen.objectives import Verdict as Outcome
from loadgen.records import Json

SCHEMA_VERSION = 1
Cause: TypeAlias = Literal["safety", "interrupted", "incomplete", "generator", "samples", "parts"]
# Causes of a part's missing verdict that are the study's too; others are told as too little to judge by.
_CAUSES: dict[str | None, Cause] = {
    "generator": "generator",
    "interrupted": "interrupted",
    "incomplete": "incomplete",
}


@dataclass(frozen=True, slots=True)
class StudyVerdict:
    """`cause` is None for a pass; `reasons` are sentences, the deciding one first."""

    verdict: Outcome
    cause: Cause | None
    reasons: tuple[str, ...]

    def as_json(self, profiles: Sequence[ProfileFigures]) -> dict[str, Json]:
        """A study's verdict.json."""
        return {
            "schema_version": SCHEMA_VERSION,
            "verdict": self.verdict,
            "cause": self.cause,
            "reasons": list(self.reasons),
            "parts": {
                part.part.label: {
                    "verdict": part.verdict.verdict,
                    "cause": part.verdict.cause,
                    "reason": part.verdict.reasons[0],
                }
                for profile in profiles
                for part in profile.parts
            },
        }


@dataclass(frozen=True, slots=True)
class _Ground:
    outcome: Outcome
    cause: Cause
    sentence: str


def study_verdict(manifest: StudyManifest, profiles: Sequence[ProfileFigures]) -> StudyVerdict:
    """Weighs everything found; every ground is told, the first one decides."""
    grounds = [
        *_leaks(profiles),
        *_missing(manifest),
        *(_no_verdict(part) for part in _parts(profiles) if part.verdict.verdict == "unknown"),
        *_nobody(profiles),
    ]
    if grounds:
        return StudyVerdict(grounds[0].outcome, grounds[0].cause, tuple(ground.sentence for ground in grounds))
    passed = [profile.profile.name for profile in profiles if profile.outcome == "pass"]
    return StudyVerdict("pass", None, (f"Passed and safe: {', '.join(passed)}.",))


def _parts(profiles: Sequence[ProfileFigures]) -> list[MeasuredPart]:
    return [part for profile in profiles for part in profile.parts]


def _leaks(profiles: Sequence[ProfileFigures]) -> Iterator[_Ground]:
    for profile in profiles:
        broken = [check for check in profile.safety.checks if check.breaks_promise]
        if profile.profile.caches and broken:
            told = ", ".join(f"{check.check} {check.alarm_count} of {check.checked_count}" for check in broken)
            # Nobody has written down anything of a user's own configuration; a leak of it is one all the same.
            though = ", though it is expected to be safe" if profile.profile.safety else ""
            yield _Ground("fail", "safety", f"{profile.profile.name} leaked{though}: {told}.")


def _missing(manifest: StudyManifest) -> Iterator[_Ground]:
    """What keeps a study from being whole."""
    measured = [part for part in manifest.parts if part.outcome == "measured"]
    of_all = f"{len(measured)} of {len(manifest.parts)} parts"
    if manifest.interrupted:
        yield _Ground("unknown", "interrupted", f"The study was interrupted; {of_all} were measured.")
    elif not manifest.complete:
        yield _Ground("unknown", "incomplete", f"The study was never closed; {of_all} were measured.")
    for part in manifest.parts:
        if part.outcome == "failed":
            yield _Ground("unknown", "incomplete", f"{part.label} could not be run: {part.problem}")


def _no_verdict(part: MeasuredPart) -> _Ground:
    cause = _CAUSES.get(part.verdict.cause, "samples")
    return _Ground("unknown", cause, f"{part.part.label} has no verdict: {part.verdict.reasons[0]}")


def _nobody(profiles: Sequence[ProfileFigures]) -> Iterator[_Ground]:
    """Why no profile is both safe and passed, when none is."""
    if any(profile.outcome == "pass" and not profile.safety.alarm_count for profile in profiles):
        return
    for profile in profiles:
        failed = [part for part in profile.parts if part.verdict.verdict == "fail"]
        for part in failed:
            yield _Ground("fail", "parts", f"{part.part.label} failed: {part.verdict.reasons[0]}")
        if profile.safety.alarm_count and not failed:
            yield _Ground("fail", "parts", f"{profile.profile.name} leaked, as it was expected to.")
