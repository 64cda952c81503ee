"""`lonjak demo`: the main job in one go: shop up, shoppers in, report out, shop down."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import click

from loadgen.config import load_scenario
from loadgen.cpus import split
from loadgen.exitcodes import ExitCode
from loadgen.stack import Stack, read_stack
from lonjak import guardian
from lonjak.onerun import RunOptions, run_scenario
from lonjak.progress import Progress
from reference_shop.edges import PROFILES, nginx
from reference_shop.stack import client, ports
from reference_shop.stack.problems import PortHeld
from reference_shop.stack.progress import Progress as Step
from reference_shop.stack.settings import StackSettings, default_run_as

_PORT = 8080


@click.command("demo", epilog="Example: lonjak demo --duration 2m")
@click.option("--scenario", default="evening", show_default=True, help="A name from `lonjak scenarios`, or a file.")
@click.option("--edge", metavar="PROFILE", help=f"One of {', '.join(PROFILES)}; nginx where it is installed.")
@click.option("--rate", metavar="R", help="Sessions per second at the profile's full height.")
@click.option("--duration", metavar="D", help="How long sessions arrive.")
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

    Everything that it starts has ended when it ends.
    """
    resolved = load_scenario(scenario, {"rate": rate, "duration": duration, "seed": seed})
    if stop_with:
        guardian.stop_with(stop_with)
    cpus = split()
    settings = StackSettings(
        port=_free_port(),
        edge=edge or ("nginx" if nginx.find_program() else "direct"),
        products=products,
        stack_cpus=cpus.stack,
        generator_cpus=cpus.generator,
        run_as=default_run_as(),
    )
    with Progress() as progress, running_stack(settings, progress) as stack:
        progress.say(f"a shop of {products:,} products is open at {stack.url} ({stack.edge})")
        answer = run_scenario(resolved, RunOptions(target=stack.url, out=out, stack=stack.path), progress)
    click.echo(answer.sentence)
    click.echo(answer.report)
    return answer.code


@contextlib.contextmanager
def running_stack(settings: StackSettings, progress: Progress) -> Iterator[Stack]:
    """A stack that lives as long as the block, and no longer than this process."""

    def show(step: Step) -> None:
        progress.start(step.step, step.total)
        progress.advance(step.done or 0)

    stack = read_stack(client.start(settings, show, owner_pid=os.getpid()))
    try:
        yield stack
    finally:
        progress.start("stopping the shop")
        client.stop(int(stack.url.rpartition(":")[2]))


def _free_port() -> int:
    """The usual port, or any free one when somebody has it."""
    try:
        ports.check_free(_PORT)
    except PortHeld:
        return 0
    return _PORT
