"""A run directory in, its figures and verdict out: the door of this package.

`analyse` computes, `documents` are summary.json and verdict.json.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from analysis import canonical
from analysis.audit import Audit, audit
from analysis.figures import errors_by_page_kind, figures, origin_figures, tier_figures
from analysis.funnel import Funnel, funnel
from analysis.health import Health, health
from analysis.judging import early_end, judge
from analysis.models import Models, models
from analysis.network import Network, network
from analysis.recording import Recording, read
from analysis.recovery import Recovery, recoveries
from analysis.safety import Safety, safety
from analysis.series import Series, build
from analysis.verdict import Verdict, verdict
from loadgen.error_budget import Budget
from loadgen.manifest import Manifest
from loadgen.objectives import Figures
from loadgen.records import Event, Json
from loadgen.rundir import RunDirectory

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class Analysis:
    """Everything the documents show: `summary` is summary.json, the rest are its parts as values."""

    manifest: Manifest
    summary: dict[str, Json]
    verdict: Verdict
    series: Series
    audit: Audit
    safety: Safety
    network: Network
    health: Health
    models: Models
    recoveries: tuple[Recovery, ...]
    funnel: Funnel
    events: tuple[Event, ...]
    budgets: tuple[Budget, ...]


def analyse(run: RunDirectory) -> Analysis:
    """The figures of a run from its files alone; RunDirectoryProblem when they are damaged but for a torn end."""
    recording = read(run)
    start, end = recording.steady
    steady = recording.tally(start, end)
    measured = figures(recording, steady)
    audited = audit(
        recording.ledger,
        recording.truth,
        since=recording.manifest.started_at,
        worker_lost=bool(recording.events_of("worker_lost")),
    )
    given_up_early = start >= end and early_end(recording) is not None
    generator = health(recording, recording.tally(0, recording.end_s) if given_up_early else steady)
    recovered = recoveries(recording)
    passed = funnel(recording)
    between, checked = network(recording, steady), safety(recording)
    judged = judge(
        recording,
        {
            **measured,
            "cache": {**_mapping(measured["cache"]), **between.figures},
            "safety": checked.figures,
            "audit": audited.figures,
        },
    )
    modelled = models(recording)
    return Analysis(
        manifest=recording.manifest,
        summary={
            **_about(recording),
            **measured,
            "errors": {**_mapping(measured["errors"]), "by_page_kind": errors_by_page_kind(recording.counters)},
            "cache": {**_mapping(measured["cache"]), **between.as_json()},
            "audit": audited.as_json(),
            "safety": checked.as_json(),
            "recovery": [fault.as_json() for fault in recovered],
            "funnel": passed.as_json(),
            "generator": generator.as_json(),
            "tiers": tier_figures(recording),
            "origin": origin_figures(recording.origin),
            "budgets": [budget.as_json() for budget in judged.budgets],
            **modelled.as_json(),
        },
        verdict=verdict(recording, judged.decisions, audited, checked, generator, miscounted=modelled.laws.mismatches),
        series=build(recording, recovered),
        audit=audited,
        safety=checked,
        network=between,
        health=generator,
        models=modelled,
        recoveries=recovered,
        funnel=passed,
        events=recording.events,
        budgets=judged.budgets,
    )


def documents(run: RunDirectory, analysis: Analysis) -> dict[Path, str]:
    """The texts of summary.json and verdict.json; the same files of a run give the same bytes."""
    return {
        run.summary: canonical.text(analysis.summary),
        run.verdict: canonical.text(analysis.verdict.as_json(analysis.audit)),
    }


def _about(recording: Recording) -> dict[str, Json]:
    """What was run, for how long."""
    manifest = recording.manifest
    start, end = recording.steady
    return {
        "schema_version": SCHEMA_VERSION,
        "run": {
            "scenario": manifest.scenario,
            "target": manifest.target,
            "edge": manifest.edge,
            "seed": manifest.seed,
            "started_at": manifest.started_at,
            "duration_s": recording.end_s,
            "steady_s": end - start,
        },
    }


def _mapping(figures: Figures) -> Mapping[str, Figures]:
    return figures if isinstance(figures, Mapping) else {}
