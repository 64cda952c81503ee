"""Section `session`: what a whole marketplace session costs the generator's processor, with our client and Locust's.

Both play the same session numbers of the same seed, without pauses, pages parsed and checked as always, and get the
same answers: the shop's own, from a tape, since the shop itself would be the bottleneck and the generator half asleep.
"""

import os
import tempfile
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import median

from loadgen.bench.meter import COUNT_VARIABLE, FILE_VARIABLE, SCENARIO_VARIABLE, TAPE_VARIABLE, Cost
from loadgen.bench.shares import CLIENT, GROUPS
from loadgen.config import resolve, to_toml
from loadgen.errors import EnvironmentProblem
from loadgen.rundir import RunDirectory
from lonjak import generator
from lonjak.bench.contenders import LONJAK
from lonjak.bench.figures import Spread, paired_ratio
from lonjak.bench.processes import END_S, Started, pause, started
from lonjak.bench.recorded import recorded_count
from lonjak.bench.section import Section, Settings
from lonjak.bench.shop import taped_shop
from lonjak.progress import Progress

FAST = "FastHttpUser's client"
_USERS = 32
_DIFFERENT = 60  # sessions on the tape
_REPEATS_PER_S = 4  # of all of them, for each second that a measurement is to take
_MOST_S = 300.0
_POLL_S = 0.2
_HEADINGS = (
    "",
    "CPU ms/request",
    "min–max",
    "CPU ms/session",
    "÷ Lonjak",
    "requests",
    *GROUPS,
)


@dataclass(frozen=True, slots=True)
class Visits:
    """One contender over all rounds; `shares` of its processor time are by group of modules, medians of the rounds."""

    contender: str
    rounds: tuple[Cost, ...]
    cpu_ms_per_request: Spread
    cpu_ms_per_session: Spread
    lonjak_ratio: float
    outside_client_ratio: float
    shares: dict[str, float]


def session(settings: Settings, progress: Progress) -> Section:
    """Sessions a second, and processor milliseconds per request and per session."""
    total = _DIFFERENT * max(2, round(settings.duration_s * _REPEATS_PER_S))
    costs: dict[str, list[Cost]] = {LONJAK: [], FAST: []}
    with taped_shop(_DIFFERENT, partial(_record, settings=settings, progress=progress), settings, progress) as url:
        for number in range(1, settings.rounds + 1):
            for name, measured in costs.items():
                progress.start(f"session, round {number} of {settings.rounds}: {name}")
                measured.append(_play(name, url, _USERS, total, settings=settings, progress=progress))
    found = tuple(visits(name, measured, costs[LONJAK]) for name, measured in costs.items())
    failed = sum(cost.failed_count for measured in costs.values() for cost in measured)
    sentence = (
        f"{total} sessions of the marketplace mix ({_DIFFERENT} different ones, recorded from the reference shop "
        "behind nginx and played back faster than it could answer): what they cost the generator with parsing, checks "
        f"and recording, and which part of the program spends it; {failed} requests failed their checks."
    )
    return Section("session", sentence, _HEADINGS, tuple(map(_line, found)), found)


def _record(url: str, settings: Settings, progress: Progress) -> None:
    progress.start("session: recording what the shop answers")
    cost = _play(LONJAK, url, 1, _DIFFERENT, settings=settings, progress=progress)
    if cost.failed_count:
        raise EnvironmentProblem(f"{cost.failed_count} requests to the shop failed while its answers were recorded")


def visits(name: str, measured: list[Cost], ours: list[Cost]) -> Visits:
    """The figures of one contender, beside ours of the same rounds."""
    groups = {group for cost in measured for group in cost.shares}
    shares = {group: median(cost.shares.get(group, 0.0) for cost in measured) for group in groups}
    return Visits(
        name,
        tuple(measured),
        Spread.of([_per_request_ms(cost) for cost in measured]),
        Spread.of([cost.cpu_s * 1000 / cost.session_count for cost in measured]),
        1 / paired_ratio([_per_request_ms(cost) for cost in ours], [_per_request_ms(cost) for cost in measured]),
        1 - shares.get(CLIENT, 0.0),
        dict(sorted(shares.items(), key=lambda item: -item[1])),
    )


def _per_request_ms(cost: Cost) -> float:
    return cost.cpu_s * 1000 / max(1, cost.request_count)


def _play(name: str, url: str, users: int, count: int, *, settings: Settings, progress: Progress) -> Cost:
    with tempfile.TemporaryDirectory(prefix="lonjak-bench-") as text:
        folder = Path(text)
        scenario, meter = folder / "scenario.toml", folder / "meter.json"
        scenario.write_text(_scenario(users), encoding="utf-8")
        environment = {
            FILE_VARIABLE: str(meter),
            COUNT_VARIABLE: str(count),
            TAPE_VARIABLE: str(_DIFFERENT),
            SCENARIO_VARIABLE: str(scenario),
        }
        run, cpus = RunDirectory(folder / "run"), (settings.contender_cpu,)
        program = _lonjak(url, run, scenario) if name == LONJAK else _fast(url)
        with started(name, program, cpus=cpus, folder=folder, environment=environment) as running:
            cost = _wait_for(meter, running, progress)
            if name != LONJAK:
                return cost
            running.interrupt(END_S)
        return replace(cost, request_count=recorded_count(run))


def _wait_for(meter: Path, running: Started, progress: Progress) -> Cost:
    waited_s = 0.0
    while (cost := Cost.read(meter)) is None:
        if waited_s > _MOST_S:
            running.give_up(f"did not play its sessions within {_MOST_S:g} s")
        pause(_POLL_S, running)
        waited_s += _POLL_S
        progress.advance(waited_s)
    return cost


def _scenario(users: int) -> str:
    load = {"model": "closed", "users": users, "duration": "1h", "drain": "0s"}
    shoppers = {"think_time_scale": 0.001, "patience_s": 60.0}
    return to_toml(resolve({"load": load, "shoppers": shoppers}, "bench", {}))


def _lonjak(url: str, run: RunDirectory, scenario: Path) -> tuple[str, ...]:
    run.path.mkdir()
    recorded = ["--run-dir", str(run.path), "--scenario", str(scenario), "--stop-with", str(os.getpid())]
    return _locust("bench_door.py", url, [*recorded, "MeteredShoppers"])


def _fast(url: str) -> tuple[str, ...]:
    amounts = ["-u", str(_USERS), "-r", str(_USERS), "-t", f"{_MOST_S + 30:g}s"]
    return _locust("bench_vanilla.py", url, [*amounts, "FastShopper"])


def _locust(file: str, url: str, arguments: list[str]) -> tuple[str, ...]:
    options = ["--headless", "--only-summary", "--loglevel", "WARNING", "--host", url]
    return tuple(generator.locust_command([generator.door().with_name(file)], [*options, *arguments]))


def _line(found: Visits) -> tuple[str, ...]:
    request = found.cpu_ms_per_request
    return (
        found.contender,
        f"{request.median:.2f}",
        f"{request.low:.2f}–{request.high:.2f}",
        f"{found.cpu_ms_per_session.median:.1f}",
        f"{found.lonjak_ratio:.2f}",
        f"{median(cost.request_count for cost in found.rounds):,.0f}",
        *(f"{found.shares.get(group, 0.0):.0%}" for group in GROUPS),
    )
