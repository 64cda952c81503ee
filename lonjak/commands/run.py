"""`lonjak run SCENARIO`: shoppers in, verdict and documents out."""

import os
from dataclasses import replace
from pathlib import Path

import click

from loadgen.config import Scenario, foreign_scenario, load_judging, load_scenario
from loadgen.errors import ConfigProblem, UsageProblem
from loadgen.exitcodes import ExitCode
from loadgen.units import parse_duration
from lonjak import baseline as baseline_of
from lonjak import job_summary
from lonjak.onerun import RunOptions, run_scenario
from lonjak.preflight import choose_targets
from lonjak.progress import Progress

_LOCUSTFILE_USERS = 10
_LOCUSTFILE_USERS_PER_S = 10.0
_PATH = click.Path(path_type=Path)
_EXAMPLES = """\b
Examples:
  lonjak shop up --detach && lonjak run evening
  lonjak run evening --rate 3 --duration 2m --seed 7
  lonjak run evening --baseline runs/evening/20261122T081500Z
  lonjak run evening --target http://127.0.0.1:8080 --target http://127.0.0.1:8081
  lonjak run my_locustfile.py --users 20 --duration 1m --target http://127.0.0.1:8080"""


@click.command("run", epilog=_EXAMPLES)
@click.argument("scenario", metavar="SCENARIO")
@click.option(
    "--target", "targets", multiple=True, metavar="URL", help="An address of the shop; without it, the running stack's."
)
@click.option("--rate", metavar="R", help="Sessions per second at the profile's full height.")
@click.option("--duration", metavar="D", help="How long sessions arrive: 90s, 2m, 1h30m.")
@click.option("--seed", metavar="N", help="Same seed, same shoppers at the same instants.")
@click.option("--generators", default=1, show_default=True, type=click.IntRange(1, 64), help="Load processes.")
@click.option("--objectives", metavar="FILE", type=_PATH, help="A TOML file in place of the scenario's objectives.")
@click.option("--out", metavar="DIR", default=Path("runs"), show_default=True, type=_PATH, help="Where runs are kept.")
@click.option("--allow-host", "allow_hosts", multiple=True, metavar="HOST", help="A host that you may load.")
@click.option("--no-faults", is_flag=True, help="Leave the scenario's faults out.")
@click.option("--stack", metavar="FILE", type=_PATH, help="A stack.json, for a shop that Lonjak did not start.")
@click.option("--users", metavar="N", help="Users of the closed model, or of a locustfile (10).")
@click.option(
    "--spawn-rate", metavar="R", type=click.FloatRange(0.1, 100_000.0), help="A locustfile's users per s (10)."
)
@click.option(
    "--baseline", "baselines", multiple=True, metavar="RUN", type=_PATH, help="An earlier run to compare with."
)
@click.option("--allow", "allowed", multiple=True, metavar="FIELD", help="A field in which baselines may differ.")
def command(
    scenario: str,
    targets: tuple[str, ...],
    rate: str | None,
    duration: str | None,
    seed: str | None,
    generators: int,
    objectives: Path | None,
    out: Path,
    allow_hosts: tuple[str, ...],
    no_faults: bool,
    stack: Path | None,
    users: str | None,
    spawn_rate: float | None,
    baselines: tuple[Path, ...],
    allowed: tuple[str, ...],
) -> ExitCode:
    """Send SCENARIO's shoppers to a shop, record, judge and report.

    SCENARIO is a name from `lonjak scenarios`, a scenario's .toml file, or a locustfile (.py) of your own, which runs
    as it is while Lonjak records it. Given several times, --target names points of presence of one shop, over which
    sessions are spread. With --baseline (several times: several runs) a regression against it fails the run as well.
    """
    flags = {"rate": rate, "users": users, "duration": duration, "seed": seed, "target": next(iter(targets), None)}
    if scenario.endswith(".py") and rate is not None:
        raise UsageProblem("--rate is for scenarios: the users of a locustfile loop; give --users and --spawn-rate")
    if not scenario.endswith(".py") and spawn_rate is not None:
        raise UsageProblem("--spawn-rate is for locustfiles: give a scenario's arrivals with --rate")
    resolved = _resolve(scenario, flags, objectives)
    if no_faults:
        resolved = replace(resolved, faults=())
    before = baseline_of.check(baselines, resolved, allowed)
    addresses = _addresses(scenario, targets, resolved.target)
    options = RunOptions(
        target=addresses[0],
        targets=addresses,
        out=out,
        generators=generators,
        allow_hosts=allow_hosts,
        faults=not no_faults,
        stack=stack,
        locustfile=Path(scenario) if scenario.endswith(".py") else None,
        users=_users(users),
        spawn_rate_per_s=spawn_rate or _LOCUSTFILE_USERS_PER_S,
    )
    with Progress() as progress:
        answer = baseline_of.judge(run_scenario(resolved, options, progress), before, allowed)
        job_summary.append(answer.report, os.environ, progress)
    click.echo(answer.sentence)
    click.echo(answer.report)
    return answer.code


def _addresses(scenario: str, targets: tuple[str, ...], usual: str | None) -> tuple[str, ...]:
    """All points of presence; the users of a locustfile have one address."""
    chosen = choose_targets(targets or ((usual,) if usual else ()))
    if not scenario.endswith(".py"):
        return chosen
    if len(targets) > 1:
        raise UsageProblem("the users of a locustfile speak to one address: give one --target")
    return chosen[:1]


def _users(given: str | None) -> int:
    """How many users a locustfile gets; a scenario has its own number."""
    if given is None:
        return _LOCUSTFILE_USERS
    if not given.isdecimal() or int(given) < 1:
        raise ConfigProblem([f"--users is {given!r}, but must be a whole number from 1"])
    return int(given)


def _resolve(scenario: str, flags: dict[str, str | None], objectives: Path | None) -> Scenario:
    if not scenario.endswith(".py"):
        return load_scenario(scenario, flags, objectives)
    path = Path(scenario)
    if not path.is_file():
        raise ConfigProblem([f"no locustfile {scenario}"])
    try:
        duration_s = parse_duration(flags["duration"] or "60s")
        seed = int(flags["seed"] or 1)
    except ValueError as error:
        raise ConfigProblem([str(error)]) from None
    resolved = foreign_scenario(path.stem, flags["target"], duration_s, seed)
    return resolved.judged_by(load_judging(objectives)) if objectives else resolved
