"""A search for a shop's capacity, from options to answer: one running load, steered step by step, kept as a study."""

import shlex
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from loadgen.capacity_study import CAPACITY, CapacityManifest, CapacityRecord, SearchOptions
from loadgen.config import Scenario
from loadgen.exitcodes import ExitCode
from loadgen.manifest import Manifest
from loadgen.rundir import RunDirectory
from loadgen.studydir import StudyDirectory
from loadgen.target import without_credentials
from lonjak import onerun
from lonjak.capacity.criteria import Criteria, criteria_of
from lonjak.capacity.display import Display
from lonjak.capacity.documents import draw_capacity
from lonjak.capacity.load import steady_load
from lonjak.capacity.plan import SearchPlan
from lonjak.capacity.search import Search
from lonjak.capacity.seconds import RunningSeconds
from lonjak.capacity.steering import Searching, Steering
from lonjak.documents import Answer
from lonjak.onerun import RunOptions
from lonjak.progress import Progress
from lonjak.study_record import CannotRecord

# Between two steps the run's files have to tell the last second, and the load generator has to obey: 3 s of about 20.
_OBSERVED_RATIO = 0.85
_LEAST_SETTLING_S, _MOST_SETTLING_S = 5, 15
_NOTHING_KNOWN = "The search ended before its first step."


@dataclass(frozen=True, slots=True)
class CapacityPlan:
    """What is to be searched: the scenario with the objectives that count, how it is run, and the search's limits."""

    scenario: Scenario
    options: RunOptions
    search: SearchOptions


def search_capacity(plan: CapacityPlan, progress: Progress) -> Answer:
    """Search, analyse and report; an interrupted search is reported as far as it went.

    Raises LonjakError when it cannot begin: nothing is left then. CannotRecord when the disk is full.
    """
    criteria = criteria_of(plan.scenario.objectives)
    scenario, changed = steady_load(plan.scenario, plan.search.start_per_s, plan.search.budget_s)
    _search_plan(plan.search, criteria, scenario, _LEAST_SETTLING_S)  # what is wrong with it is said before any load
    onerun.check_targets(plan.options)
    for sentence in (*changed, *(f"Left for the end: {left.objective}, as {left.why}." for left in criteria.set_aside)):
        progress.say(sentence)
    study = StudyDirectory.create(plan.options.out, CAPACITY, datetime.now(UTC))
    manifest = _manifest(plan, criteria, changed)
    try:
        interrupted = _recorded(plan, criteria, scenario, study=study, manifest=manifest, progress=progress)
    except OSError as error:
        raise CannotRecord(study.path, error) from None
    progress.start("analysis and report")
    answer = draw_capacity(study)
    return replace(answer, code=ExitCode.INTERRUPTED) if interrupted else answer


def _recorded(
    plan: CapacityPlan,
    criteria: Criteria,
    scenario: Scenario,
    *,
    study: StudyDirectory,
    manifest: CapacityManifest,
    progress: Progress,
) -> bool:
    """Run the search; whether it was interrupted. A study whose load could not begin is removed."""
    manifest.write(study.manifest)
    run = study.part(manifest.parts[0])
    run.path.mkdir(parents=True)
    display = Display(progress, f"{scenario.name} against {manifest.target}", plan.search.budget_s)

    def begin(stay_s: int) -> Searching:
        settling_s = min(max(stay_s, _LEAST_SETTLING_S), _MOST_SETTLING_S)
        return Search(_search_plan(plan.search, criteria, scenario, settling_s))

    following = _Following(
        study,
        run,
        criteria,
        scenario,
        budget_s=int(plan.search.budget_s),
        display=display,
        begin=begin,
        confidence=plan.search.confidence,
    )
    try:
        interrupted = onerun.drive(scenario, plan.options, run, following.look)
    except BaseException:
        if not run.manifest.exists():
            shutil.rmtree(study.path)  # nothing was recorded
        raise
    following.write()
    measured = tuple(replace(part, outcome="measured") for part in manifest.parts)
    ended = replace(manifest, parts=measured, ended_at=time.time(), complete=not interrupted, interrupted=interrupted)
    ended.write(study.manifest)
    return interrupted


class _Following:
    """Steers a run from the moment on at which it has begun, and keeps what is known in capacity.json."""

    def __init__(
        self,
        study: StudyDirectory,
        run: RunDirectory,
        criteria: Criteria,
        scenario: Scenario,
        *,
        budget_s: int,
        display: Display,
        begin: Callable[[int], Searching],
        confidence: float,
    ) -> None:
        self._study, self._run, self._criteria, self._scenario = study, run, criteria, scenario
        self._budget_s, self._display, self._begin = budget_s, display, begin
        self._confidence = confidence
        self._steering: Steering | None = None

    def look(self) -> None:
        """Five times a second while the run goes on."""
        if self._steering is None and self._run.manifest.exists():
            self._steering = self._steer()
        if self._steering is not None and not self._steering.over:
            self._steering.look()

    def write(self) -> None:
        """Keep what is known by now."""
        record = self._steering.record if self._steering else None
        (record or _nothing(self._confidence)).write(self._study.capacity)

    def _steer(self) -> Steering:
        load = self._scenario.load
        return Steering(
            RunningSeconds(self._run, self._criteria),
            Manifest.read(self._run.manifest).started_at,
            self._run.control,
            self._display,
            begin=self._begin,
            on_step=self.write,
            warmup_s=int(load.warmup_s),
            until_s=self._budget_s,
            rate_per_s=load.rate_per_s,
        )


def _search_plan(options: SearchOptions, criteria: Criteria, scenario: Scenario, settling_s: int) -> SearchPlan:
    return SearchPlan(
        criteria=criteria.searched,
        start_per_s=options.start_per_s,
        lowest_per_s=options.lowest_per_s,
        highest_per_s=options.highest_per_s,
        resolution_ratio=options.resolution_ratio,
        confidence=options.confidence,
        settling_s=settling_s,
        budget_s=int((options.budget_s - scenario.load.warmup_s) * _OBSERVED_RATIO),
    )


def _manifest(plan: CapacityPlan, criteria: Criteria, changed: tuple[str, ...]) -> CapacityManifest:
    return CapacityManifest(
        scenario=plan.scenario.name,
        seed=plan.scenario.load.seed,
        target=without_credentials(plan.options.target),
        options=plan.search,
        searched=tuple(criterion.name for criterion in criteria.searched),
        set_aside=criteria.set_aside,
        started_at=time.time(),
        command=without_credentials(shlex.join(["lonjak", *sys.argv[1:]])),
        changed=changed,
    )


def _nothing(confidence: float) -> CapacityRecord:
    return CapacityRecord("unknown", None, None, None, confidence, "unseen", _NOTHING_KNOWN, ())
