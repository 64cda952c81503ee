"""What an edge comparison is to do: its plan, what can be wrong with it, and the manifest that it begins with."""

import shlex
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from loadgen.config import Scenario
from loadgen.edge_comparison import ComparedProfile, ExpectedSafety, StudyManifest, StudyOptions, StudyPart
from loadgen.errors import ProgramMissing, UsageProblem
from loadgen.studydir import part_label
from reference_shop.edges import PROFILES, EdgeOptions
from reference_shop.edges.options import caches
from reference_shop.edges.programs import install_command, missing
from reference_shop.stack.settings import StackSettings

Missing: TypeAlias = Callable[[Iterable[str]], tuple[str, ...]]
NAMES = tuple(PROFILES)
_CUSTOM = "custom"  # the one that takes a file of the user's own, and only with it


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
        self._check_custom()
        settings = [self.settings_of(name) for name in self.profiles]
        for each in settings:
            each.check()
        if absent := missing(dict.fromkeys(program for each in settings for program in each.edge_programs)):
            told = f"{', '.join(absent)} {'is' if len(absent) == 1 else 'are'} not installed"
            raise ProgramMissing(f"{told}: {install_command(absent)}, or leave out the profiles that need it")

    def settings_of(self, profile: str) -> StackSettings:
        """What the shop of one profile is started with: only custom gets the user's file."""
        options = self.settings.edge_options
        config = options.config if profile == _CUSTOM else None
        return replace(self.settings, edge=profile, edge_options=replace(options, config=config))

    def _check_custom(self) -> None:
        """UsageProblem where custom is named without its file, or the file given without custom."""
        config = self.settings.edge_options.config
        if _CUSTOM in self.profiles and not config:
            raise UsageProblem("the profile custom needs a configuration of your own: give it with --edge-config FILE")
        if config and _CUSTOM not in self.profiles:
            raise UsageProblem("--edge-config is for the profile custom: name custom in --profiles, or leave it out")

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
            profiles=tuple(_profile(name, options) for name in self.profiles),
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


def _profile(name: str, options: EdgeOptions) -> ComparedProfile:
    profile = PROFILES[name]
    own = name == _CUSTOM and options.config
    sentence = f"a configuration of one's own, {Path(own).name}" if own else profile.sentence
    safety = {way: ExpectedSafety(expected.answer, expected.because) for way, expected in profile.safety.items()}
    return ComparedProfile(name, sentence, caches(profile, options), profile.promises, safety)
