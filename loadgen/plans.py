"""What a run is to be, found out before any traffic: which scenario, which target, which stack."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from locust import User

from loadgen.arrivals import ArrivalSource
from loadgen.config import MODELS, Load, Scenario, foreign_scenario, load_judging, load_scenario
from loadgen.dispatcher import is_ours
from loadgen.errors import UsageProblem
from loadgen.faults import check_plans
from loadgen.gate import Gate, host_of
from loadgen.http.connections import Connections
from loadgen.load import HIGHEST_RATE_PER_S, MOST_USERS
from loadgen.offering import check_offers
from loadgen.options import DEFAULT_SCENARIO, Options
from loadgen.stack import Stack, find_stack, find_stack_at, read_stack
from loadgen.target import base_url, check_reachable

UNPLANNED_S = 7 * 86400.0  # a locustfile that nobody told when to end; a scenario's longest duration


@dataclass(frozen=True, slots=True)
class Prepared:
    """A run that may begin; `targets` are all points of presence of the shop."""

    scenario: Scenario
    targets: tuple[str, ...]
    stack: Stack | None

    @property
    def target(self) -> str:
        """The first of them."""
        return self.targets[0]


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
    targets, stack = _targets(options, user_classes, host, scenario.target)
    for target in targets:
        gate.check_target(target)
    for user_class in user_classes:
        if user_class.host and not host:
            gate.check_target(user_class.host)
    for target in targets:
        check_reachable(target)
    Connections.authority = str(stack.ca_file) if stack and stack.ca_file else None
    _recognise(user_classes, scenario, targets)
    check_plans(scenario.faults, stack)  # last: which stack is missing matters only for a shop that is one
    check_offers(scenario, stack)
    return Prepared(replace(scenario, target=targets[0]), targets, stack)


def check_user_classes(user_classes: Sequence[type[User]]) -> None:
    """Raise UsageProblem when shoppers' arrivals and other users would run together."""
    if is_ours(list(user_classes)) and len(user_classes) > 1:
        names = ", ".join(sorted(user_class.__name__ for user_class in user_classes))
        raise UsageProblem(f"one class of shoppers at a time: choose one of {names} at the end of the command line")


def users_of(load: Load) -> int:
    """What Locust calls users: the closed model's own, else the most shoppers that may be in the shop at once."""
    return load.users if load.model == "closed" else load.session_cap


def with_users(prepared: Prepared, users: int) -> Prepared:
    """The same run with another number of users, as `-u` or the web form asks for; 0 asks for nothing."""
    if users == 0:
        return prepared
    check_users(users)
    load = prepared.scenario.load
    load = replace(load, users=users) if load.model == "closed" else replace(load, session_cap=users)
    return replace(prepared, scenario=replace(prepared.scenario, load=load))


def check_users(users: int) -> None:
    """Raise UsageProblem for a number of users that no scenario may have either."""
    if not 1 <= users <= MOST_USERS:
        raise UsageProblem(f"the number of users is {users}, but must be from 1 to {MOST_USERS}")


def most_sessions(load: Load) -> int:
    """How many sessions may be in progress on all workers together."""
    if load.model != "closed":
        return load.session_cap
    return math.floor(load.users * max(share for _, share in load.profile) + 0.5)


def split_evenly(total: int, count: int) -> tuple[int, ...]:
    """`total` in `count` whole shares that differ by one at most, the larger ones first; they add up to `total`."""
    return tuple((total + count - 1 - index) // count for index in range(count))


def check_rate(load: Load, rate_per_s: float) -> None:
    """Raise UsageProblem when a running load cannot be given this rate."""
    if not load.has_rate:
        raise UsageProblem(load.why_no_rate)
    if not (math.isfinite(rate_per_s) and 0 <= rate_per_s <= HIGHEST_RATE_PER_S):
        raise UsageProblem(
            f"the rate is {rate_per_s:g}, but must be a number of sessions per second from 0 to {HIGHEST_RATE_PER_S:g}"
        )


def _scenario(
    options: Options, user_classes: Sequence[type[User]], locustfile: str, rate: str | None, duration_s: float | None
) -> Scenario:
    ours = is_ours(list(user_classes))
    flags = {"rate": rate, "seed": options.seed, "duration": f"{duration_s:g}s" if duration_s else None}
    if ours or options.scenario:
        scenario = load_scenario(options.scenario or DEFAULT_SCENARIO, flags, options.objectives)
        if ours != (scenario.load.model in MODELS):
            raise UsageProblem(_mismatch(locustfile, ours=ours))
    else:
        seed = load_seed(options.seed)
        scenario = foreign_scenario(Path(locustfile).stem, None, duration_s or UNPLANNED_S, seed)
        if options.objectives:
            scenario = scenario.judged_by(load_judging(options.objectives))
    return scenario if options.faults else replace(scenario, faults=())


def _mismatch(locustfile: str, *, ours: bool) -> str:
    if ours:
        return (
            f"{locustfile} lets shoppers arrive, so that a scenario has to say how many: "
            f"locust -f {locustfile} --headless --scenario FILE.toml"
        )
    return f"{locustfile} has users of its own, who loop: leave the scenario out"


def load_seed(text: str | None) -> int:
    """A seed from the command line, 1 when none was given."""
    if text is not None and not text.isdecimal():
        raise UsageProblem(f"--seed is {text!r}, but must be a whole number from 0 up")
    return int(text or 1)


def _recognise(user_classes: Sequence[type[User]], scenario: Scenario, targets: Sequence[str]) -> None:
    for source in [kind for kind in user_classes if issubclass(kind, ArrivalSource)]:
        for target in targets:
            source.recognise(scenario, target)


def _targets(
    options: Options, user_classes: Sequence[type[User]], host: str | None, usual: str | None
) -> tuple[tuple[str, ...], Stack | None]:
    """All points of presence, and the stack behind them, if it is one of this user's.

    They are those that were named (`host`, else the scenario's `usual` one, else the classes' own), else a running
    stack's.
    """
    stack = read_stack(options.stack) if options.stack else None
    ours = is_ours(list(user_classes))
    given = host or usual or next((user_class.host for user_class in user_classes if user_class.host), None)
    if options.more_hosts and (given is None or not ours):
        raise UsageProblem(_lone(given))
    if given is None:
        stack = stack or find_stack()
        return _bases(stack.urls or (stack.url,), ours=ours), stack
    found = _bases((given, *options.more_hosts), ours=ours)
    stack = stack or find_stack_at(found[0])
    if stack and host and not options.host and found == _bases((stack.url,), ours=ours):
        return _bases(stack.urls or (stack.url,), ours=ours), stack  # a form repeats what was found before
    return found, stack


def _bases(urls: Sequence[str], *, ours: bool) -> tuple[str, ...]:
    """Base URLs, each once. The users of a locustfile of somebody's own have one address: the first."""
    for url in urls:
        host_of(url)
    bases = tuple(dict.fromkeys(map(base_url, urls)))
    return bases if ours else bases[:1]


def _lone(host: str | None) -> str:
    if host is None:
        return "--more-host adds an address to that of --host: give the first one with --host"
    return "the users of a locustfile speak to one address: give one --target (--host under plain locust)"
