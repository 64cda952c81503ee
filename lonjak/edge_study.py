"""The same load over several edge profiles, each against a fresh shop, recorded and reported as one study."""

import shutil
import time
from dataclasses import replace
from datetime import UTC, datetime

from loadgen.config import Scenario
from loadgen.cpus import split
from loadgen.edge_comparison import EDGE_COMPARE, StudyPart
from loadgen.errors import EnvironmentProblem, LonjakError
from loadgen.exitcodes import ExitCode
from loadgen.rundir import RunDirectory
from loadgen.studydir import StudyDirectory
from lonjak import onerun
from lonjak.calibration import calibration, costliest, told
from lonjak.drawing import Drawing
from lonjak.onerun import RunOptions
from lonjak.progress import Progress
from lonjak.running_stack import running_stack
from lonjak.study_documents import DrawnStudy, draw_parts, draw_study
from lonjak.study_plan import StudyPlan
from lonjak.study_record import CannotRecord, StudyRecord
from reference_shop.stack.problems import StackProblem


def compare(plan: StudyPlan, progress: Progress) -> DrawnStudy:
    """Run every part, compare and report; an interrupted study is judged as far as it went.

    Raises what StudyPlan.check does; EnvironmentProblem when no part could be run, and KeyboardInterrupt when none was:
    nothing is left then. CannotRecord when the disk is full; what was measured until then is kept.
    """
    plan.check()
    study = StudyDirectory.create(plan.out, EDGE_COMPARE, datetime.now(UTC))
    record, interrupted = _recorded(plan, study, progress)
    if not record.measured:
        shutil.rmtree(study.path)
        raise KeyboardInterrupt if interrupted else EnvironmentProblem(_why_none(record))
    progress.start("comparing")
    draw_parts(study, only_missing=True, say=lambda run: progress.start(f"analysing {run.path.name}"))
    drawn = draw_study(study)
    return replace(drawn, answer=replace(drawn.answer, code=ExitCode.INTERRUPTED)) if interrupted else drawn


def _recorded(plan: StudyPlan, study: StudyDirectory, progress: Progress) -> tuple[StudyRecord, bool]:
    """Run every part; the record, and whether it was interrupted. CannotRecord removes a study without any part."""
    record = None
    try:
        record = StudyRecord(study, plan.manifest(time.time()))
        interrupted = _Parts(plan, record, progress).run()
        record.close(time.time(), interrupted=interrupted)
    except CannotRecord:
        if record and record.measured:
            progress.say(f"what was measured until now is kept: `lonjak report {study.path}` compares it")
        else:
            shutil.rmtree(study.path, ignore_errors=True)
        raise
    return record, interrupted


class _Parts:
    """Runs the parts of a study one after the other; each is drawn while the next shop starts."""

    def __init__(self, plan: StudyPlan, record: StudyRecord, progress: Progress) -> None:
        self._plan, self._record, self._progress = plan, record, progress
        self._drawing = Drawing(split().generator)

    def run(self) -> bool:
        """Choose the rate and run the parts; whether it was interrupted."""
        try:
            scenario = self._at_bearable_rate()
            for part in self._record.manifest.parts:
                self._run_part(scenario, part)
            self._drawing.wait()
        except KeyboardInterrupt:
            return True
        finally:
            self._drawing.abandon()
        return False

    def _run_part(self, scenario: Scenario, part: StudyPart) -> None:
        """Run one part against a shop of its own; what cannot be run is noted and told.

        Raises KeyboardInterrupt, and notes what there is, when it was interrupted.
        """
        run, total = self._record.study.part(part), len(self._record.manifest.parts)
        title = f"part {int(part.label.partition('-')[0])} of {total}: {part.profile}"
        try:
            interrupted = self._load(scenario, part.profile, run, title)
        except CannotRecord:
            raise
        except (LonjakError, StackProblem) as error:
            problem = " ".join(str(error).split())
            self._record.part_ended(part, "failed", problem)
            self._progress.say(f"{title}: could not be run: {problem}")
            return
        self._record.part_ended(part, "measured")
        if interrupted:
            raise KeyboardInterrupt
        self._drawing.begin(run)

    def _load(self, scenario: Scenario, profile: str, run: RunDirectory, title: str) -> bool:
        """Drive a scenario against a fresh shop; whether it was interrupted. CannotRecord when the disk is full."""
        with running_stack(self._plan.settings_of(profile), self._progress) as stack:
            self._drawing.wait()
            options = RunOptions(target=stack.url, targets=stack.urls, faults=self._plan.faults, stack=stack.path)
            onerun.check_targets(options)
            try:
                run.path.mkdir(parents=True)
                return onerun.record(scenario, options, run, self._progress, title)
            except OSError as error:
                raise CannotRecord(run.path, error) from None

    def _at_bearable_rate(self) -> Scenario:
        """The scenario at the rate that a short trial finds bearable; as it is where no trial is wanted or can run."""
        plan, run = self._plan, self._record.study.calibration
        if plan.trial is None:
            return plan.scenario
        profile = costliest(plan.profiles)
        title = f"trying the load on {profile}"
        try:
            interrupted = self._load(plan.trial.scenario, profile, run, title)
        except CannotRecord:
            raise
        except (LonjakError, StackProblem) as error:
            self._progress.say(f"{title}: could not be run, so the rate stays: {' '.join(str(error).split())}")
            return plan.scenario
        if interrupted:
            raise KeyboardInterrupt
        found = calibration(run, profile, plan.scenario.load.rate_per_s, scales=plan.trial.scales)
        self._record.calibrated(found)
        self._progress.say(told(found))
        return replace(plan.scenario, load=replace(plan.scenario.load, rate_per_s=found.rate_per_s))


def _why_none(record: StudyRecord) -> str:
    problems = "; ".join(f"{part.label}: {part.problem}" for part in record.manifest.parts)
    return f"no profile could be run: {problems}"
