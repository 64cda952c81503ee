"""Objectives held against a recording: over the judged part, in phases and windows, as budgets; and early ends; pure.

All is decided by loadgen, by the same code that decides it live; here it is fed from the files.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from analysis.recording import Recording
from loadgen.error_budget import Budget, BudgetJudge
from loadgen.objective_windows import Judge, PhaseJudge, Phases, WindowJudge
from loadgen.objectives import Decision, Figures, Objective, decide
from loadgen.stop_rules import Stop
from loadgen.tally import Tally

_AFTER = ""  # the phase after arrivals ended early, which has no name


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of every objective, in their order, and of the budgets among them."""

    decisions: tuple[Decision, ...]
    budgets: tuple[Budget, ...]


def judge(recording: Recording, figures: Figures) -> Judged:
    """Decide every objective; `figures` are those of the judged part, in the shape of summary.json."""
    start_s, end_s = recording.steady
    judges: dict[Objective, Judge] = {}
    budgets: list[BudgetJudge] = []
    phases = phases_of(recording)
    for objective in recording.objectives:
        if objective.scope.kind == "window":
            judges[objective] = WindowJudge(objective, start_s, end_s)
        elif objective.scope.kind == "phase":
            judges[objective] = PhaseJudge(objective, phases)
        elif objective.scope.kind == "budget":
            budgets.append(BudgetJudge(objective, start_s, end_s, _period_s(recording)))
            judges[objective] = budgets[-1]
    if judges:
        seconds = _by_second(recording, frozenset(objective.path[:2] for objective in judges))
        for second in range(int(recording.end_s)):
            for one in judges.values():
                one.see(second, seconds.get(second) or Tally())
    return Judged(
        decisions=tuple(
            judges[objective].decision() if objective in judges else decide(objective, figures)
            for objective in recording.objectives
        ),
        budgets=tuple(budget.budget() for budget in budgets),
    )


def early_end(recording: Recording) -> Stop | None:
    """Why the run was stopped before its time, if a stop rule did it."""
    for event in recording.events_of("stop_rule_met")[:1]:
        detail, value = event.detail, event.detail.get("value")
        after_s = detail.get("after_s")
        return Stop(
            rule=str(detail.get("rule")),
            after_s=float(after_s) if isinstance(after_s, int | float) else recording.elapsed_s(event.at),
            value=float(value) if isinstance(value, int | float) else None,
            sentence=str(detail.get("sentence") or "The run was stopped early by a stop rule."),
        )
    return None


def phases_of(recording: Recording) -> Phases:
    """The phases as the run's history tells them; but for drain they end with the arrivals."""
    phases = Phases()
    for event in recording.events:
        if event.kind == "phase":
            phases.begin(str(event.detail.get("name", _AFTER)), recording.elapsed_s(event.at))
    if recording.events_of("arrivals_ended") and (not phases.names or phases.names[-1] != "drain"):
        phases.begin(_AFTER, float(recording.steady[1]))
    return phases


def _period_s(recording: Recording) -> float:
    """How long the judged part was planned to be."""
    plan, (start_s, end_s) = recording.manifest.plan, recording.steady
    planned_s = plan.duration_s - plan.warmup_s
    return planned_s if 0 < planned_s < float("inf") else float(max(1, end_s - start_s))


def _by_second(recording: Recording, latencies: frozenset[tuple[str, ...]]) -> Mapping[int, Tally]:
    """The sums of every second that has any."""
    found: defaultdict[int, Tally] = defaultdict(lambda: Tally(latencies))
    for second, lines in recording.intervals.items():
        for line in lines:
            found[second].add_histogram(line.tag, line.histogram)
    for row in recording.counters.to_dict("records"):
        counts = {str(name): int(count) for name, count in row.items() if name not in ("elapsed_s", "page_kind")}
        found[int(row["elapsed_s"])].add_counters(str(row["page_kind"]), counts)
    for row in recording.funnel.to_dict("records"):
        sums = {str(name): float(count) for name, count in row.items() if name not in ("elapsed_s", "segment")}
        found[int(row["elapsed_s"])].add_funnel(sums)
    for attempt in recording.ledger:
        found[int(recording.elapsed_s(attempt.at))].add_ledger(attempt)
    return found
