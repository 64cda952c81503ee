"""The [load] table of a scenario: which model of load, how many sessions or users, and when."""

import math
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from loadgen.fields import Fields
from loadgen.pacing import RatePoint, expected_count
from loadgen.traces import Instants, read_trace, write_trace
from loadgen.units import format_duration

MODELS = ("partly-open", "closed")  # of scenarios; a locustfile of the user's own has the model "locustfile"
ARRIVALS = ("poisson", "constant", "trace")
HIGHEST_RATE_PER_S = 100_000.0
MOST_USERS = 1_000_000
_LOWEST_RATE_PER_S = 0.001
_FLAT = ((0.0, 1.0), (1.0, 1.0))
_NO_RATE = {
    "closed": "the closed model has no arrival rate: give users, or choose the model partly-open",
    "trace": "a trace brings its own instants: leave the rate out, or choose poisson or constant arrivals",
    "locustfile": "the users of a locustfile make the load: change their number instead",
}

Overrides = Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Load:
    """How many sessions begin, and when. The profile holds (share of the duration, share of the rate or users) points.

    `rate_per_s` is the mean of a trace, and 0 in the closed model; `users` is 0 in every other. `trace` holds the
    instants, in seconds from the start and before the end, of the arrivals "trace".
    """

    model: str = "partly-open"
    rate_per_s: float = 1.0
    profile: tuple[tuple[float, float], ...] = _FLAT
    duration_s: float = 60.0
    warmup_s: float = 0.0
    drain_s: float = 10.0
    session_cap: int = 5000
    seed: int = 1
    arrivals: str = "poisson"
    trace: Instants = ()
    users: int = 0

    @property
    def rate(self) -> tuple[RatePoint, ...]:
        """The profile in seconds and sessions per second."""
        return tuple(RatePoint(at * self.duration_s, share * self.rate_per_s) for at, share in self.profile)

    @property
    def has_rate(self) -> bool:
        """Whether sessions arrive at a rate, which may be given and changed."""
        return not self.why_no_rate

    @property
    def why_no_rate(self) -> str:
        """Why no rate can be given or changed, and what to do instead; empty when it can."""
        return _NO_RATE.get(self.model) or _NO_RATE.get(self.arrivals, "")


def read_load(given: Fields, overrides: Overrides, folder: Path) -> tuple[Load, float]:
    """The load, and by how much another duration than the file's own stretches its timetable.

    A trace is not stretched but cut, and with it nothing else is. `folder` is where its file is looked for.
    """
    model = given.choice("model", "partly-open", (*MODELS, "locustfile"))
    arrivals, trace = _arrivals(given, model, folder)
    default_s = math.floor(trace[-1]) + 1.0 if trace else 60.0
    written_s = given.duration("duration", default_s, low=1.0)
    for key in ("duration", "seed"):
        given.override(key, overrides.get(key))
    duration_s = given.duration("duration", default_s, low=1.0)
    stretch = 1.0 if arrivals == "trace" else duration_s / written_s
    kept = trace[: bisect_left(trace, duration_s)]
    load = Load(
        model=model,
        arrivals=arrivals,
        trace=kept,
        rate_per_s=_rate_per_s(given, overrides, model, arrivals, len(kept) / duration_s),
        users=_users(given, overrides, model),
        profile=_profile(given, arrivals),
        duration_s=duration_s,
        warmup_s=given.duration("warmup", 0.0) * stretch,
        drain_s=given.duration("drain", 10.0),
        session_cap=given.whole("session_cap", 5000, low=1, high=1_000_000),
        seed=given.whole("seed", 1, low=0, high=2**63 - 1),
    )
    if trace and not kept:
        given.problem(f"trace begins at {trace[0]:g} s, but must begin before the duration of {duration_s:g} s is over")
    _check_warmup(given, load, stretch)
    _check_profile(given, load)
    return load, stretch


def load_lines(load: Load) -> list[str]:
    """The table's lines, which `read_load` reads back to an equal load without any other file."""
    return [
        f'model = "{load.model}"',
        *_amount_lines(load),
        f"duration = {_written(load.duration_s)}",
        f"warmup = {_written(load.warmup_s)}",
        f"drain = {_written(load.drain_s)}",
        f"session_cap = {load.session_cap}",
        f"seed = {load.seed}",
    ]


def _amount_lines(load: Load) -> list[str]:
    profile = f"profile = [{', '.join(f'[{at!r}, {share!r}]' for at, share in load.profile)}]"
    if load.model == "closed":
        return [f"users = {load.users}", profile]
    if load.arrivals == "trace":
        return ['arrivals = "trace"', f"trace = {write_trace(load.trace)}"]
    arrivals = [f'arrivals = "{load.arrivals}"'] if load.model == "partly-open" else []
    return [*arrivals, f"rate_per_s = {load.rate_per_s!r}", profile]


def _written(seconds: float) -> str:
    return f'"{format_duration(seconds)}"' if seconds.is_integer() else repr(seconds)


def _arrivals(given: Fields, model: str, folder: Path) -> tuple[str, Instants]:
    if model != "partly-open":
        for key in ("arrivals", "trace"):
            given.refuse(key, f"the model {model} has no scheduled arrivals: leave it out, or choose partly-open")
        return "poisson", ()
    arrivals = given.choice("arrivals", "poisson", ARRIVALS)
    if arrivals != "trace":
        given.refuse("trace", f'arrivals is "{arrivals}": write arrivals = "trace", or leave the trace out')
        return arrivals, ()
    source = given.value("trace")
    if source is None:
        given.problem('trace is missing, but arrivals = "trace" needs the path of a file or a list of instants')
        return arrivals, ()
    instants, problems = read_trace(source, folder)
    for problem in problems:
        given.problem(problem)
    return arrivals, instants


def _rate_per_s(given: Fields, overrides: Overrides, model: str, arrivals: str, mean_per_s: float) -> float:
    if model == "locustfile":  # records 0; a rate for other scenarios in the environment is none of its business
        return given.number("rate_per_s", 0.0, low=0.0, high=HIGHEST_RATE_PER_S)
    given.override("rate_per_s", overrides.get("rate"))
    if why := _NO_RATE.get(model) or _NO_RATE.get(arrivals):
        given.refuse("rate_per_s", why)
        return mean_per_s
    return given.number("rate_per_s", 1.0, low=_LOWEST_RATE_PER_S, high=HIGHEST_RATE_PER_S)


def _users(given: Fields, overrides: Overrides, model: str) -> int:
    if model != "locustfile":  # whose users are Locust's own option
        given.override("users", overrides.get("users"))
    if model == "closed":
        return given.whole("users", 10, low=1, high=MOST_USERS)
    given.refuse("users", f"the model {model} has none: leave it out, or choose the model closed")
    return 0


def _profile(given: Fields, arrivals: str) -> tuple[tuple[float, float], ...]:
    if arrivals == "trace":
        given.refuse("profile", "a trace brings its own instants: leave it out")
        return _FLAT
    return given.points("profile", _FLAT)


def _check_warmup(given: Fields, load: Load, stretch: float) -> None:
    if given.sound("duration", "warmup") and load.warmup_s >= load.duration_s:
        told = f"warmup is {load.warmup_s / stretch:g} s, but must be shorter than the duration"
        stretched = "" if stretch == 1 else ", which another duration stretches together"
        given.problem(f"{told} of {load.duration_s / stretch:g} s{stretched}")


def _check_profile(given: Fields, load: Load) -> None:
    """Refuse a load in which nobody ever comes, and one beyond the limits: a profile may multiply."""
    if load.model not in MODELS or load.arrivals == "trace" or not given.sound("profile", "rate_per_s", "users"):
        return
    highest = max(share for _, share in load.profile)
    limits = (load.users, MOST_USERS, "users") if load.model == "closed" else None
    amount, limit, unit = limits or (load.rate_per_s, HIGHEST_RATE_PER_S, "sessions per second")
    if expected_count([RatePoint(at, share) for at, share in load.profile]) == 0:
        given.problem("profile is 0 all the time, but somebody must come: raise a share above 0")
    elif highest * amount > limit:
        given.problem(f"profile reaches {highest:g} times {amount:g} {unit}, but must stay within {limit:.0f}")
    elif load.model == "closed" and highest * amount < 0.5:
        given.problem(f"profile reaches {highest:g} times {amount:g} {unit}, but must reach one user")
    elif load.arrivals == "constant" and (expected := expected_count(load.rate)) <= 0.5:
        told = f"{load.rate_per_s:g}, but must bring a session within the duration of {load.duration_s:g} s"
        given.problem(f"rate_per_s is {told}: {expected:g} are expected")
