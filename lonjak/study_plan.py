"""What an edge comparison is to do: its plan, what can be wrong with it, and the manifest that it begins with."""

import shlex
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from loadgen.config import Scenario
from loadgen.errors import ProgramMissing, UsageProblem
from loadgen.studydir import ComparedProfile, ExpectedSafety, StudyManifest, StudyOptions, StudyPart, part_label
from reference_shop.edges import PROFILES
from reference_shop.edges.programs import install_command, missing
from reference_shop.stack.settings import StackSettings

Missing: TypeAlias = Callable[[Iterable[str]], tuple[str, ...]]
NAMES = tuple(name for name in PROFILES if name != "custom")  # which needs a file of the user's own


@dataclass(frozen=True, slots=True)
class Trial:
    """The short load by which the rate is chosen; it `scales` the rate unless somebody gave one."""

    scenario: Scenario
    scales: bool


@dataclass(frozen=True, slots=True)
class StudyPlan:
    """What is to be compared: `settings` are every shop's but for its edge, `trial` is None for the rate as it is."""

    scenario: Scenario
    profiles: tuple[str, ...]
    settings: StackSettings
    repeats: int = 1
    faults: bool = True
    trial: Trial | None = None
    out: Path = Path("runs")

    def check(self, missing: Missing = missing) -> None:
        """Everything that can be said before anything is started; `missing` looks for programs.

        UsageProblem for names that are unknown or stand twice, SettingsProblem for wrong options, ProgramMissing for
        programs that are not installed, all of them at once.
        """
        if unknown := [name for name in self.profiles if name not in NAMES]:
            raise UsageProblem(f"no edge profile {', '.join(map(repr, unknown))} to compare; known: {', '.join(NAMES)}")
        if len(set(self.profiles)) != len(self.profiles) or len(self.profiles) < 2:
            raise UsageProblem(f"--profiles names {', '.join(self.profiles)}: name two or more, each once")
        settings = [replace(self.settings, edge=name) for name in self.profiles]
        for each in settings:
            each.check()
        if absent := missing(dict.fromkeys(program for each in settings for program in each.edge_programs)):
            told = f"{', '.join(absent)} {'is' if len(absent) == 1 else 'are'} not installed"
            raise ProgramMissing(f"{told}: {install_command(absent)}, or leave out the profiles that need it")

    def manifest(self, started_at: float) -> StudyManifest:
        """The manifest of a study that has just begun, `started_at` seconds since the epoch."""
        options = self.settings.edge_options
        return StudyManifest(
            scenario=self.scenario.name,
            seed=self.scenario.load.seed,
            options=StudyOptions(
                repeats=self.repeats,
                products=self.settings.products,
                origin_rtt_ms=options.origin_rtt_ms,
                purge=options.purge,
                tls=options.tls,
                waf=options.waf,
                faults=self.faults and bool(self.scenario.faults),
            ),
            profiles=tuple(map(_profile, self.profiles)),
            parts=order(self.profiles, self.repeats),
            started_at=started_at,
            command=shlex.join(["lonjak", *sys.argv[1:]]),
        )


def order(profiles: Sequence[str], repeats: int) -> tuple[StudyPart, ...]:
    """The parts in the order in which they are run: every second round backwards, so that a drift cancels out."""
    rounds = [list(profiles) if number % 2 else list(reversed(profiles)) for number in range(1, repeats + 1)]
    named = [(name, number) for number, names in enumerate(rounds, start=1) for name in names]
    return tuple(
        StudyPart(part_label(place, name), name, number) for place, (name, number) in enumerate(named, start=1)
    )


def _profile(name: str) -> ComparedProfile:
    profile = PROFILES[name]
    safety = {way: ExpectedSafety(expected.answer, expected.because) for way, expected in profile.safety.items()}
    return ComparedProfile(name, profile.sentence, profile.caches, profile.promises, safety)
