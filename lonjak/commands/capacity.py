"""`lonjak capacity SCENARIO`: the highest load at which every objective holds."""

from dataclasses import replace
from pathlib import Path

import click

from loadgen.capacity_study import SearchOptions
from loadgen.config import Scenario, load_objectives, load_scenario
from loadgen.errors import UsageProblem
from loadgen.exitcodes import ExitCode
from loadgen.load import HIGHEST_RATE_PER_S
from loadgen.units import parse_duration
from lonjak.capacity.study import CapacityPlan, search_capacity
from lonjak.onerun import RunOptions
from lonjak.preflight import choose_targets
from lonjak.progress import Progress

_PATH = click.Path(path_type=Path)
_LOWEST_OF_START = 0.1
_SHORTEST_S = 30.0
_LONGEST_S = 86_400.0
_EXAMPLES = """\b
Examples:
  lonjak shop up --detach && lonjak capacity evening
  lonjak capacity evening --start 10 --resolution 0.1 --budget 3m
  lonjak capacity evening --objectives slo.toml --generators 2 --target http://127.0.0.1:8080

\b
Exit codes: 0 the capacity was found; 1 the lowest rate is too much already, or orders or an
objective that was left for the end failed; 2 usage; 3 it is not known, or only that it is more;
4 environment; 130 interrupted: what was known until then is reported."""


@click.command("capacity", epilog=_EXAMPLES)
@click.argument("scenario", metavar="SCENARIO")
@click.option(
    "--target", "targets", multiple=True, metavar="URL", help="An address of the shop; without it, the running stack's."
)
@click.option("--start", metavar="R", type=float, help="Sessions per second to begin with; else the scenario's rate.")
@click.option(
    "--lowest", metavar="R", type=float, help="Below this it is not worth knowing; else a tenth of the start."
)
@click.option("--highest", metavar="R", type=float, default=10_000.0, show_default=True, help="Never more than this.")
@click.option("--resolution", metavar="SHARE", type=float, default=0.05, show_default=True, help="How exactly to know.")
@click.option("--budget", metavar="D", default="7m", show_default=True, help="How long the load may last, all in all.")
@click.option("--generators", default=1, show_default=True, type=click.IntRange(1, 64), help="Load processes.")
@click.option("--objectives", metavar="FILE", type=_PATH, help="A TOML file in place of the scenario's objectives.")
@click.option("--seed", metavar="N", help="Same seed, same shoppers.")
@click.option("--out", metavar="DIR", default=Path("runs"), show_default=True, type=_PATH, help="Where to keep it.")
@click.option("--allow-host", "allow_hosts", multiple=True, metavar="HOST", help="A host that you may load.")
@click.option("--stack", metavar="FILE", type=_PATH, help="A stack.json, for a shop that Lonjak did not start.")
@click.option(
    "--shoppers", metavar="FILE", type=_PATH, help="A locustfile whose ArrivalSource plays the sessions of your shop."
)
def command(
    scenario: str,
    targets: tuple[str, ...],
    start: float | None,
    lowest: float | None,
    highest: float,
    resolution: float,
    budget: str,
    generators: int,
    objectives: Path | None,
    seed: str | None,
    out: Path,
    allow_hosts: tuple[str, ...],
    stack: Path | None,
    shoppers: Path | None,
) -> ExitCode:
    """Find the highest rate of SCENARIO's sessions at which every objective holds, and what happens beyond.

    One load goes on all the time; its rate grows until an objective fails, and is then brought as close to the limit as
    --resolution asks for. Faults, the profile of the rate and what happens only once are left out.
    """
    resolved = _resolve(scenario, seed, objectives)
    if shoppers is not None and not shoppers.is_file():
        raise UsageProblem(f"no locustfile {shoppers}")
    start_per_s = resolved.load.rate_per_s if start is None else start
    addresses = choose_targets(targets or ((resolved.target,) if resolved.target else ()))
    plan = CapacityPlan(
        scenario=resolved,
        options=RunOptions(
            target=addresses[0],
            targets=addresses,
            out=out,
            generators=generators,
            allow_hosts=allow_hosts,
            faults=False,
            stack=stack,
            shoppers=shoppers,
        ),
        search=SearchOptions(
            start_per_s=start_per_s,
            lowest_per_s=start_per_s * _LOWEST_OF_START if lowest is None else lowest,
            highest_per_s=_at_most(highest),
            resolution_ratio=resolution,
            confidence=0.95,
            budget_s=_seconds(budget),
            generators=generators,
        ),
    )
    with Progress() as progress:
        answer = search_capacity(plan, progress)
    click.echo(answer.sentence)
    click.echo(answer.report)
    return answer.code


def _resolve(scenario: str, seed: str | None, objectives: Path | None) -> Scenario:
    resolved = load_scenario(scenario, {"seed": seed})
    return replace(resolved, objectives=load_objectives(objectives)) if objectives else resolved


def _at_most(highest: float) -> float:
    if not 0 < highest <= HIGHEST_RATE_PER_S:
        raise UsageProblem(
            f"--highest is {highest:g}, but must be above 0 and at most {HIGHEST_RATE_PER_S:g} sessions/s"
        )
    return highest


def _seconds(budget: str) -> float:
    try:
        seconds = parse_duration(budget)
    except (ValueError, OverflowError):
        seconds = 0.0
    if not _SHORTEST_S <= seconds <= _LONGEST_S:
        raise UsageProblem(f"--budget is {budget!r}, but must be a duration from 30s to 24h, such as 5m")
    return seconds
