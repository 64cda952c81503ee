"""What a run is to be, found out before any traffic: which scenario, which target, which stack."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from locust import User

from loadgen.arrivals import ArrivalSource
from loadgen.config import MODELS, Scenario, foreign_scenario, load_objectives, load_scenario
from loadgen.dispatcher import is_ours
from loadgen.errors import UsageProblem
from loadgen.faults import check_plans
from loadgen.gate import Gate, host_of
from loadgen.options import DEFAULT_SCENARIO, Options
from loadgen.stack import Stack, find_stack, find_stack_at, read_stack
from loadgen.target import base_url, check_reachable

UNPLANNED_S = 7 * 86400.0  # a locustfile that nobody told when to end; a scenario's longest duration


@dataclass(frozen=True, slots=True)
class Prepared:
    """A run that may begin."""

    scenario: Scenario
    target: str
    stack: Stack | None


def prepare(
    options: Options,
    gate: Gate,
    user_classes: Sequence[type[User]],
    *,
    locustfile: str,
    host: str | None,
    rate: str | None,
    duration_s: float | None,
) -> Prepared:
    """The run that command line, environment, web form and files ask for together; no load yet.

    Raises LonjakError: ConfigProblem, TargetRefused, TargetUnreachable, TargetUnrecognised, StackMissing, UsageProblem.
    """
    scenario = _scenario(options, user_classes, locustfile, rate, duration_s)
    target, stack = _target(options, user_classes, host or scenario.target)
    gate.check_target(target)
    for user_class in user_classes:
        if user_class.host and not host:
            gate.check_target(user_class.host)
    check_reachable(target)
    for user_class in user_classes:
        if issubclass(user_class, ArrivalSource):
            user_class.recognise(scenario, target)
    check_plans(scenario.faults, stack)  # last: which stack is missing matters only for a shop that is one
    return Prepared(replace(scenario, target=target), target, stack)


def check_user_classes(user_classes: Sequence[type[User]]) -> None:
    """Raise UsageProblem when shoppers' arrivals and other users would run together."""
    if is_ours(list(user_classes)) and len(user_classes) > 1:
        names = ", ".join(sorted(user_class.__name__ for user_class in user_classes))
        raise UsageProblem(f"one class of shoppers at a time: choose one of {names} at the end of the command line")


def _scenario(
    options: Options, user_classes: Sequence[type[User]], locustfile: str, rate: str | None, duration_s: float | None
) -> Scenario:
    ours = is_ours(list(user_classes))
    flags = {"rate": rate, "seed": options.seed, "duration": f"{duration_s:g}s" if duration_s else None}
    if ours or options.scenario:
        scenario = load_scenario(options.scenario or DEFAULT_SCENARIO, flags)
        if ours != (scenario.load.model in MODELS):
            has = "lets shoppers arrive" if ours else "has users of its own"
            raise UsageProblem(f"scenario {scenario.name} has the model {scenario.load.model}, but {locustfile} {has}")
    else:
        seed = load_seed(options.seed)
        scenario = foreign_scenario(Path(locustfile).stem, None, duration_s or UNPLANNED_S, seed)
    if options.objectives:
        scenario = replace(scenario, objectives=load_objectives(options.objectives))
    return scenario if options.faults else replace(scenario, faults=())


def load_seed(text: str | None) -> int:
    """A seed from the command line, 1 when none was given."""
    if text is not None and not text.isdecimal():
        raise UsageProblem(f"--seed is {text!r}, but must be a whole number from 0 up")
    return int(text or 1)


def _target(options: Options, user_classes: Sequence[type[User]], host: str | None) -> tuple[str, Stack | None]:
    stack = read_stack(options.stack) if options.stack else None
    target = host or next((user_class.host for user_class in user_classes if user_class.host), None)
    if target is None:
        stack = stack or find_stack()
        target = stack.url
    host_of(target)
    target = base_url(target)
    return target, stack or find_stack_at(target)
