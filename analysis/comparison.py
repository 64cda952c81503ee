"""A study's directory in, its table with uncertainties, recommendation and verdict out: the door for comparisons.

`compare` computes, `documents` are the study's summary.json and verdict.json. Runs are analysed as by themselves.
"""

from collections import defaultdict
from dataclasses import asdict, dataclass
from pathlib import Path

from analysis import canonical
from analysis.compared import MeasuredPart, ProfileFigures, Run, profile_figures
from analysis.comparison_verdict import StudyVerdict, study_verdict
from analysis.recommendation import BASELINES, Candidate, Recommendation, recommend
from analysis.recording import read
from analysis.run import analyse
from loadgen.edge_comparison import ComparedProfile, StudyManifest, StudyPart
from loadgen.manifest import Plan
from loadgen.records import Json
from loadgen.studydir import StudyDirectory

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything the documents show; `profiles` in the order in which they were named, `plan` what each part got."""

    manifest: StudyManifest
    plan: Plan | None
    versions: dict[str, str]
    profiles: tuple[ProfileFigures, ...]
    recommendation: Recommendation
    verdict: StudyVerdict

    def figures(self, name: str) -> ProfileFigures:
        """The column of a profile."""
        return next(figures for figures in self.profiles if figures.profile.name == name)

    def part(self, label: str) -> MeasuredPart | None:
        """What a part came to; None when it was not run."""
        parts = (part for figures in self.profiles for part in figures.parts)
        return next((part for part in parts if part.part.label == label), None)

    @property
    def recommended(self) -> ProfileFigures | None:
        """The column of the recommended profile."""
        return self.figures(self.recommendation.profile) if self.recommendation.profile else None

    @property
    def baseline(self) -> ProfileFigures | None:
        """What a cache is held against: direct, else nginx-pass, if it was measured and is not itself recommended."""
        measured = {figures.profile.name: figures for figures in self.profiles if figures.parts}
        named = next((name for name in BASELINES if name in measured), None)
        return measured[named] if named and named != self.recommendation.profile else None


def compare(study: StudyDirectory) -> Comparison:
    """The comparison from the study's files alone; RunDirectoryProblem when they are damaged but for a torn end."""
    manifest = StudyManifest.read(study.manifest)
    runs = [_run(study, part) for part in manifest.parts if part.outcome == "measured"]
    by_profile: defaultdict[str, list[Run]] = defaultdict(list)
    for run in runs:
        by_profile[run.part.profile].append(run)
    profiles = tuple(
        profile_figures(profile, by_profile[profile.name], _problems(manifest, profile))
        for profile in manifest.profiles
    )
    return Comparison(
        manifest=manifest,
        plan=runs[0].recording.manifest.plan if runs else None,
        versions=dict(runs[0].recording.manifest.versions) if runs else {},
        profiles=profiles,
        recommendation=recommend(map(Candidate.of, profiles)),
        verdict=study_verdict(manifest, profiles),
    )


def documents(study: StudyDirectory, comparison: Comparison) -> dict[Path, str]:
    """The texts of summary.json and verdict.json; the same files of a study give the same bytes."""
    return {
        study.summary: canonical.text(_summary(comparison)),
        study.verdict: canonical.text(comparison.verdict.as_json(comparison.profiles)),
    }


def _run(study: StudyDirectory, part: StudyPart) -> Run:
    return Run(part, read(study.part(part)), analyse(study.part(part)))


def _problems(manifest: StudyManifest, profile: ComparedProfile) -> list[str]:
    failed = [part for part in manifest.parts if part.profile == profile.name and part.outcome == "failed"]
    return [f"{part.label}: {part.problem}" for part in failed]


def _summary(comparison: Comparison) -> dict[str, Json]:
    manifest, plan = comparison.manifest, comparison.plan
    return {
        "schema_version": SCHEMA_VERSION,
        "study": {
            "kind": manifest.kind,
            "scenario": manifest.scenario,
            "seed": manifest.seed,
            "started_at": manifest.started_at,
            "plan": asdict(plan) if plan else None,
            "options": asdict(manifest.options),
            "calibration": asdict(manifest.calibration) if manifest.calibration else None,
        },
        "profiles": {figures.profile.name: figures.as_json() for figures in comparison.profiles},
        "parts": {
            part.part.label: {
                "profile": part.part.profile,
                "round": part.part.round,
                "steady_s": part.steady_s,
                "generator_cpu_ratio": part.used.generator_ratio,
                "stack_cpu_ratio": part.used.stack_ratio,
                "above_limit": part.above_limit,
            }
            for figures in comparison.profiles
            for part in figures.parts
        },
        "recommendation": comparison.recommendation.as_json(),
    }
