"""What a capacity search says: the step to take, what became of each, and the answer. Pure values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

Purpose: TypeAlias = Literal["bracket", "narrow", "edge", "beyond"]
Outcome: TypeAlias = Literal["holds", "fails", "unknown", "unsteady"]
Beyond: TypeAlias = Literal["collapses", "holds", "unseen"]
Finding: TypeAlias = Literal["found", "at least", "below", "unknown"]


@dataclass(frozen=True, slots=True)
class Step:
    """Offer `rate_per_s` sessions; seconds before `settled_s` are warm-up and ignored.

    One that `drains` lets a backlog go before the step that it precedes, whose purpose it has: none of its seconds
    counts, and it has no result of its own. Indices ascend; those of draining steps are missing among the results.
    """

    index: int
    rate_per_s: float
    purpose: Purpose
    settled_s: int
    drains: bool = False


@dataclass(frozen=True, slots=True)
class StepResult:
    """What a step showed. `reason` is a sentence; `seconds` are all that it took, draining before it included.

    `criterion` is the name of the objective that decided, None where none did. Means are of the seconds that counted
    (None where there were none); so is `figures`: by objective its share of bad requests, or its level.
    """

    step: Step
    outcome: Outcome
    reason: str
    seconds: int
    criterion: str | None
    offered_per_s: float | None
    goodput_per_s: float | None
    response_time_s: float | None
    figures: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Capacity:
    """The answer, or what is known of it so far.

    | finding    | rate_per_s           | low_per_s     | high_per_s                                   |
    |------------|----------------------|---------------|----------------------------------------------|
    | "found"    | the capacity         | its interval at `confidence`                                 |
    | "at least" | highest that held    | the same      | None                                         |
    | "below"    | None                 | None          | the lowest rate allowed, which failed        |
    | "unknown"  | None                 | None          | lowest rate that was seen to fail, if any    |
    """

    rate_per_s: float | None
    low_per_s: float | None
    high_per_s: float | None
    confidence: float
    beyond: Beyond
    steps: tuple[StepResult, ...]
    sentence: str
    finding: Finding
