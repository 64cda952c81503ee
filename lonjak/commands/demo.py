"""`lonjak demo`: the main job in one go: shoppers in, report out, with a cache and without, and all shops down."""

import os
from dataclasses import replace
from pathlib import Path

import click

from loadgen.config import Scenario, load_scenario
from loadgen.cpus import split
from loadgen.errors import UsageProblem
from loadgen.exitcodes import ExitCode
from lonjak import edge_study, guardian, job_summary
from lonjak.edge_options import PROFILE_NAMES
from lonjak.onerun import RunOptions, run_scenario
from lonjak.progress import Progress
from lonjak.running_stack import running_stack
from lonjak.study_plan import StudyPlan
from reference_shop.edges import EdgeOptions, programs
from reference_shop.stack import ports
from reference_shop.stack.problems import PortHeld
from reference_shop.stack.settings import StackSettings, default_run_as

_PORT = 8080
_EDGES = tuple(name for name in PROFILE_NAMES if name != "custom")  # which needs a file
_NO_CUSTOM = (
    "the demo takes no configuration of your own: `lonjak shop up --edge custom --edge-config FILE` starts a shop "
    "behind it, `lonjak edge compare evening --profiles nginx,custom --edge-config FILE` compares it"
)
_CACHED, _UNCACHED = "nginx", "nginx-pass"
# Twice the load of one run in the time of one: long enough for a warm cache and a recovery.
_DURATION = "40s"
# As far as a shop in one city is from shoppers in the next; without it a cache next door to the shop saves only work.
_ORIGIN_RTT_MS = 40.0


@click.command("demo", epilog="Example: lonjak demo --duration 2m")
@click.option("--scenario", default="evening", show_default=True, help="A name from `lonjak scenarios`, or a file.")
@click.option("--edge", metavar="PROFILE", help=f"Run this one only, of {', '.join(_EDGES)}, and compare nothing.")
@click.option("--rate", metavar="R", help="Sessions per second at the profile's full height.")
@click.option("--duration", metavar="D", help=f"How long sessions arrive; {_DURATION} for each of two edges.")
@click.option("--seed", metavar="N", help="Same seed, same shoppers at the same instants.")
@click.option(
    "--products", default=20_000, show_default=True, type=click.IntRange(1, 1_000_000), help="Catalogue size."
)
@click.option("--out", metavar="DIR", default=Path("runs"), type=click.Path(path_type=Path), help="Where to keep runs.")
@click.option("--stop-with", envvar="LONJAK_STOP_WITH", type=int, hidden=True, help="End when this process does.")
def command(
    scenario: str,
    edge: str | None,
    rate: str | None,
    duration: str | None,
    seed: str | None,
    products: int,
    out: Path,
    stop_with: int | None,
) -> ExitCode:
    """Start a shop, send an evening's shoppers, kill one of its workers on the way, and write the report.

    That twice, through a cache and past it, and then what the cache saved; once where nginx is not installed.
    Everything that it starts has ended when it ends.
    """
    if edge == "custom":
        raise UsageProblem(_NO_CUSTOM)
    compares = edge is None and programs.find("nginx") is not None
    usual = _DURATION if compares and scenario == "evening" else None
    resolved = load_scenario(scenario, {"rate": rate, "duration": duration or usual, "seed": seed})
    if stop_with:
        guardian.stop_with(stop_with)
    cpus = split()
    settings = StackSettings(
        port=0 if compares else _free_port(),
        edge=edge or "direct",
        products=products,
        stack_cpus=cpus.stack,
        generator_cpus=cpus.generator,
        run_as=default_run_as(),
    )
    with Progress() as progress:
        return _both(resolved, settings, out, progress) if compares else _one(resolved, settings, out, progress)


def _one(scenario: Scenario, settings: StackSettings, out: Path, progress: Progress) -> ExitCode:
    """A single run on one edge."""
    with running_stack(settings, progress) as stack:
        progress.say(f"a shop of {settings.products:,} products is open at {stack.url} ({stack.edge})")
        options = RunOptions(target=stack.url, targets=stack.urls, out=out, stack=stack.path)
        answer = run_scenario(scenario, options, progress)
    job_summary.append(answer.report, os.environ, progress)
    click.echo(answer.sentence)
    click.echo(answer.report)
    return answer.code


def _both(scenario: Scenario, settings: StackSettings, out: Path, progress: Progress) -> ExitCode:
    """The same shoppers through the cache and past it: the first run's answer, and what the cache saved."""
    far_away = replace(settings, edge_options=EdgeOptions(origin_rtt_ms=_ORIGIN_RTT_MS))
    plan = StudyPlan(scenario, (_CACHED, _UNCACHED), far_away, out=out)
    drawn = edge_study.compare(plan, progress)
    cached = drawn.part(_CACHED) or drawn.answer
    job_summary.append(cached.report, os.environ, progress)
    click.echo(cached.sentence)
    click.echo(drawn.saved(_CACHED, _UNCACHED) or drawn.answer.sentence)
    click.echo(cached.report)
    click.echo(drawn.answer.report)
    return drawn.answer.code if drawn.answer.code == ExitCode.INTERRUPTED else cached.code


def _free_port() -> int:
    """The usual port, or any free one when somebody has it."""
    try:
        ports.check_free(_PORT)
    except PortHeld:
        return 0
    return _PORT
