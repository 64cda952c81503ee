"""A scenario's configuration: defaults < TOML < environment LONJAK_* < flag. Every problem is reported at once.

The tables and keys of a scenario file are the fields of the dataclasses below; docs/scenarios.md describes them.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from loadgen.errors import ConfigProblem, UsageProblem
from loadgen.fault_plans import FAULT_KINDS, FaultPlan, read_fault
from loadgen.fields import Fields
from loadgen.gate import host_of
from loadgen.load import MODELS, Load, load_lines, read_load
from loadgen.objective_files import Judging, objective_lines, read_judging, read_stop_when
from loadgen.objectives import Objective, parse_objectives
from loadgen.offers import NO_OFFERS, FlashSale, Offers, offer_lines, read_flash_sale, read_offers
from loadgen.shoppers import SEGMENTS, Shoppers, read_shoppers, shopper_lines
from loadgen.stop_rules import NEVER, StopWhen

__all__ = [
    "DEFAULT_OBJECTIVES",
    "FAULT_KINDS",
    "MODELS",
    "OVERRIDES",
    "SEGMENTS",
    "FaultPlan",
    "FlashSale",
    "Load",
    "Offers",
    "Scenario",
    "Shoppers",
    "foreign_scenario",
    "load_judging",
    "load_objectives",
    "load_scenario",
    "resolve",
    "scenario_names",
    "to_toml",
]
OVERRIDES = ("rate", "users", "duration", "seed", "target")  # as flags and as LONJAK_RATE, LONJAK_DURATION, …
DEFAULT_OBJECTIVES = {"failed_ratio": "< 0.01"}  # without any, no run could fail


@dataclass(frozen=True, slots=True)
class Scenario:
    """Everything that a run needs to know beforehand."""

    name: str
    description: str
    storefront: str
    target: str | None
    load: Load
    shoppers: Shoppers
    objectives: tuple[Objective, ...]
    faults: tuple[FaultPlan, ...]
    flash_sale: FlashSale | None = None
    offers: Offers = NO_OFFERS
    stop_when: StopWhen = NEVER

    def judged_by(self, judging: Judging) -> "Scenario":
        """The same with other objectives, and other stop rules where there are some."""
        stop_when = self.stop_when if judging.stop_when is None else judging.stop_when
        return replace(self, objectives=judging.objectives, stop_when=stop_when)

    @property
    def makes_offers(self) -> bool:
        """Whether the shop has to be told of something before the run."""
        return self.flash_sale is not None or self.offers != NO_OFFERS


def scenario_names(folder: Path | None = None) -> dict[str, str]:
    """The scenarios that come with the project: name -> one line of description."""
    return {path.stem: _description(path) for path in sorted((folder or _folder()).glob("*.toml"))}


def load_scenario(
    name_or_path: str, flags: Mapping[str, str | None] | None = None, objectives: Path | None = None
) -> Scenario:
    """The resolved scenario; ConfigProblem names everything that is wrong with it, and the valid names.

    `flags` are values given on the command line, by the names in OVERRIDES; None means not given. `objectives` is a
    file that takes the place of the scenario's; what is wrong with either file is told together.
    """
    problems: list[str] = []
    scenario, judging = None, None
    try:
        path = _find(name_or_path)
        scenario = resolve(_read(path), path.stem, _overrides(flags or {}), path.parent)
    except ConfigProblem as problem:
        problems += problem.problems
    try:
        judging = load_judging(objectives) if objectives else None
    except ConfigProblem as problem:
        problems += problem.problems
    if scenario is None or problems:
        raise ConfigProblem(problems)
    return scenario.judged_by(judging) if judging else scenario


def load_judging(path: Path) -> Judging:
    """Objectives and stop rules of a TOML file of their own; ConfigProblem names everything that is wrong with it."""
    judging, problems = read_judging(_read(path), str(path))
    if problems:
        raise ConfigProblem(problems)
    return judging


def load_objectives(path: Path) -> tuple[Objective, ...]:
    """The objectives of a TOML file of their own, with or without an [objectives] table around them."""
    return load_judging(path).objectives


def resolve(
    table: Mapping[str, object], name: str, overrides: Mapping[str, tuple[str, str]], folder: Path | None = None
) -> Scenario:
    """A scenario from a parsed TOML table; `overrides` maps names in OVERRIDES to (where it was given, text).

    `folder` is where the files lie that the table names; without it, the current one.
    """
    root = Fields(dict(table), "")
    named = root.text("name", name)
    load, stretch = read_load(root.table("load"), overrides, folder or Path())
    flash_sale = read_flash_sale(root, load.duration_s, stretch)
    offers = read_offers(root.table("offers"))
    scenario = Scenario(
        name=named,
        description=root.text("description", ""),
        storefront=root.text("storefront", "reference"),
        target=_target(root, overrides.get("target")),
        load=load,
        shoppers=read_shoppers(root.table("shoppers"), flash_sale, offers),
        objectives=_objectives(root),
        faults=tuple(read_fault(entry, load.duration_s, stretch) for entry in root.tables("faults")),
        flash_sale=flash_sale,
        offers=offers,
        stop_when=_stop_when(root),
    )
    if problems := list(dict.fromkeys(root.finish())):  # a value that is read twice is wrong once
        raise ConfigProblem([f"scenario {named}: {problem}" for problem in problems])
    return scenario


def foreign_scenario(name: str, target: str | None, duration_s: float, seed: int) -> Scenario:
    """What is recorded of a locustfile that is not ours: its own users make the load, only failures are judged."""
    objectives, _ = parse_objectives(DEFAULT_OBJECTIVES)
    load = Load(model="locustfile", rate_per_s=0.0, duration_s=duration_s, drain_s=0.0, seed=seed)
    return Scenario(name, "a locustfile of the user's own", "none", target, load, Shoppers(), objectives, ())


def to_toml(scenario: Scenario) -> str:
    """The resolved scenario as a file that `load_scenario` reads back to an equal one."""
    lines = [
        f"name = {_quoted(scenario.name)}",
        f"description = {_quoted(scenario.description)}",
        f"storefront = {_quoted(scenario.storefront)}",
        *([f"target = {_quoted(scenario.target)}"] if scenario.target else []),
        "\n[load]",
        *load_lines(scenario.load),
        "\n[shoppers]",
        f"mix = {_quoted(scenario.shoppers.mix)}",
        *shopper_lines(scenario.shoppers),
        *offer_lines(scenario.flash_sale, scenario.offers),
        *objective_lines(scenario.objectives, scenario.stop_when),
    ]
    for fault in scenario.faults:
        values = {"kind": fault.kind, "at_s": fault.at_s, **fault.parameters}
        lines += ["\n[[faults]]", *(f"{name} = {_written(value)}" for name, value in values.items())]
    return "\n".join(lines) + "\n"


def _target(root: Fields, given: tuple[str, str] | None) -> str | None:
    root.override("target", given)
    target = root.optional_text("target")
    if target is not None:
        try:
            host_of(target)
        except UsageProblem as problem:
            root.problems.append(str(problem))
    return target


def _objectives(root: Fields) -> tuple[Objective, ...]:
    objectives, problems = parse_objectives(root.mapping("objectives") or DEFAULT_OBJECTIVES)
    root.problems.extend(problems)
    return objectives


def _stop_when(root: Fields) -> StopWhen:
    stop_when, problems = read_stop_when(root.value("stop_when"))
    root.problems.extend(problems)
    return stop_when or NEVER


def variable_of(name: str) -> str:
    """The environment variable that stands for one of OVERRIDES."""
    return f"LONJAK_{name.upper()}"


def _overrides(flags: Mapping[str, str | None]) -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for name in OVERRIDES:
        flag, variable = flags.get(name), variable_of(name)
        if flag is not None:
            found[name] = (f"--{name}", flag)
        elif variable in os.environ:
            found[name] = (variable, os.environ[variable])
    return found


def _folder() -> Path:
    return Path(__file__).resolve().parent.parent / "scenarios"


def _read(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigProblem([f"{path} cannot be read: {error.strerror}"]) from None
    except ValueError as error:  # not TOML, not UTF-8, or a number of thousands of digits
        raise ConfigProblem([f"{path} is not TOML: {error}"]) from None


def _find(name_or_path: str) -> Path:
    if name_or_path in (known := scenario_names()):
        return _folder() / f"{name_or_path}.toml"
    path = Path(name_or_path)
    if path.suffix == ".toml" and path.is_file():
        return path
    raise ConfigProblem([f"no scenario {name_or_path!r}; known: {', '.join(known)}, or the path of a .toml file"])


def _description(path: Path) -> str:
    try:
        return str(tomllib.loads(path.read_text(encoding="utf-8")).get("description", ""))
    except (OSError, ValueError):
        return "cannot be read"


def _written(value: str | float) -> str:
    return _quoted(value) if isinstance(value, str) else repr(value)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in escaped) + '"'
