"""From session to paid order: how many shoppers reached each step, by segment too; pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from analysis.recording import Recording
from loadgen.records import FUNNEL_STEPS, Json


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """Sessions that reached a step, and their share of all sessions and of those that reached the step before."""

    name: str
    count: int
    of_arrived_ratio: float | None
    of_previous_ratio: float | None


@dataclass(frozen=True, slots=True)
class Segment:
    """Sessions of one segment; `paid_ratio` is its conversion."""

    name: str
    arrived_count: int
    paid_count: int
    abandoned_count: int
    paid_ratio: float | None


@dataclass(frozen=True, slots=True)
class Funnel:
    """All sessions of the run; `to_paid_s` is the mean time from arrival to a paid order."""

    steps: tuple[FunnelStep, ...]
    segments: tuple[Segment, ...]
    to_paid_s: float | None

    def as_json(self) -> dict[str, Json]:
        """The funnel as it stands in summary.json."""
        return {
            **{step.name: step.count for step in self.steps},
            "of_arrived_ratio": {step.name: step.of_arrived_ratio for step in self.steps},
            "to_paid_s": self.to_paid_s,
            "segments": {
                segment.name: {
                    "arrived_count": segment.arrived_count,
                    "paid_count": segment.paid_count,
                    "abandoned_count": segment.abandoned_count,
                    "paid_ratio": segment.paid_ratio,
                }
                for segment in self.segments
            },
        }


def funnel(recording: Recording) -> Funnel:
    """The funnel over the whole run: sessions count by when they arrived."""
    table = recording.funnel
    totals = table.drop(columns=["elapsed_s", "segment"]).sum()
    by_segment = table.drop(columns="elapsed_s").groupby("segment").sum()
    return Funnel(
        steps=_steps({str(name): float(value) for name, value in totals.items()}),
        segments=tuple(
            Segment(
                str(name),
                int(row["arrived_count"]),
                int(row["paid_count"]),
                int(row["abandoned_count"]),
                _ratio(row["paid_count"], row["arrived_count"]),
            )
            for name, row in by_segment.iterrows()
        ),
        to_paid_s=_ratio(float(totals["paid_s_sum"]), float(totals["paid_count"])),
    )


def _steps(totals: Mapping[str, float]) -> tuple[FunnelStep, ...]:
    counts = {step: totals[f"{step}_count"] for step in ("arrived", *FUNNEL_STEPS)}
    before: dict[str, float | None] = dict(zip(counts, [None, *counts.values()], strict=False))
    return tuple(
        FunnelStep(name, int(count), _ratio(count, counts["arrived"]), _ratio(count, before[name]))
        for name, count in counts.items()
    )


def _ratio(part: float, whole: float | None) -> float | None:
    return float(part / whole) if whole else None
