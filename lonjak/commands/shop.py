"""`lonjak shop`: starts the reference shop with everything it needs, shows it, and stops it."""

import json
import os
import signal
import time
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import click

from loadgen.cpus import split
from loadgen.errors import EnvironmentProblem, StackMissing
from loadgen.exitcodes import ExitCode
from lonjak.progress import Progress
from reference_shop.edges import PROFILES, nginx
from reference_shop.stack import client, document
from reference_shop.stack.document import StackDocument
from reference_shop.stack.progress import Progress as Step
from reference_shop.stack.settings import StackSettings, default_run_as

_LOOK_EVERY_S = 0.5
_COLUMNS = ("role", "pid", "port", "cpus", "restarts", "ready")


@click.group("shop")
def command() -> None:
    """Start, show and stop the reference shop."""


@command.command("up", epilog="Example: lonjak shop up --edge nginx --detach")
@click.option("--edge", metavar="PROFILE", help=f"One of {', '.join(PROFILES)}; nginx where it is installed.")
@click.option("--workers", metavar="N", type=int, default=2, show_default=True, help="Worker processes of the shop.")
@click.option("--products", metavar="N", type=int, default=20_000, show_default=True, help="Catalogue size.")
@click.option("--seed", metavar="N", type=int, default=1, show_default=True, help="Same seed, same catalogue.")
@click.option("--database-url", metavar="URL", help="A PostgreSQL to use (a schema of our own); else one is started.")
@click.option("--port", metavar="PORT", type=int, default=8080, show_default=True, help="0 takes a free one.")
@click.option("--payment-latency-ms", metavar="N", type=int, help="A fixed time per payment; else log-normal, 80 ms.")
@click.option("--detach", is_flag=True, help="Return when the shop is ready, and leave it running.")
def up(
    edge: str | None,
    workers: int,
    products: int,
    seed: int,
    database_url: str | None,
    port: int,
    payment_latency_ms: int | None,
    detach: bool,
) -> ExitCode:
    """Start database, payment provider, shop and edge; print the address when they are ready.

    Without --detach they run until Ctrl-C. `lonjak shop down` stops them in any case.
    """
    cpus = split()
    settings = StackSettings(
        port=port,
        edge=edge or ("nginx" if nginx.find_program() else "direct"),
        workers=workers,
        products=products,
        seed=seed,
        database_url=database_url,
        payment_latency_ms=payment_latency_ms,
        stack_cpus=cpus.stack,
        generator_cpus=cpus.generator,
        run_as=default_run_as(),
    )
    folder, url = _start(settings, detach=detach)
    if detach:
        click.echo(url)
        return ExitCode.PASS
    return _stay(folder, url)


@command.command("status")
@click.option("--port", metavar="PORT", type=int, help="Only the stack on this port.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def status(port: int | None, as_json: bool) -> ExitCode:
    """Show the running stacks: processes, ports, CPU sets, restarts and readiness."""
    stacks = client.stacks(port)
    if not stacks:
        raise StackMissing("no shop is running: start one with `lonjak shop up`")
    click.echo(json.dumps([_public(stack) for stack in stacks]) if as_json else "\n\n".join(map(_table, stacks)))
    return ExitCode.PASS


@command.command("down")
@click.option("--port", metavar="PORT", type=int, help="Only the stack on this port; without it, all of yours.")
def down(port: int | None) -> ExitCode:
    """Stop running stacks, and take away what a killed one left behind."""
    for sentence in client.stop(port) or ["no shop is running"]:
        click.echo(sentence)
    return ExitCode.PASS


def _start(settings: StackSettings, *, detach: bool) -> tuple[Path, str]:
    """Start the stack under a progress display; its folder and address."""
    with Progress() as progress:

        def show(step: Step) -> None:
            progress.start(step.step, step.total)
            progress.advance(step.done or 0)

        path = client.start(settings, show, owner_pid=None if detach else os.getpid())
    stack = document.read(path.parent)
    if stack is None:
        raise EnvironmentProblem("the shop was stopped as soon as it was ready")
    return path.parent, stack.url


def _stay(folder: Path, url: str) -> ExitCode:
    """Print the address, wait until somebody stops the stack or this command is interrupted, and then stop it."""
    try:
        click.echo(url)
        while (stack := document.read(folder)) and stack.supervisor.alive:
            if stack.state == "failed":
                raise EnvironmentProblem(_failure(stack))
            time.sleep(_LOOK_EVERY_S)
    except KeyboardInterrupt:
        click.echo("stopping the shop", err=True)
        return ExitCode.INTERRUPTED
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the stop is under way, and takes 15 s at most
        client.stop(int(folder.name.rpartition("-")[2]))
    return ExitCode.PASS


def _failure(stack: StackDocument) -> str:
    tails = [
        f"{process.role} ended again and again; its log ends with:\n"
        + "\n".join(Path(process.log).read_text(encoding="utf-8", errors="replace").splitlines()[-10:])
        for process in stack.processes
        if not process.ready
    ]
    return "the shop was stopped: " + "\n".join(tails)


def _public(stack: StackDocument) -> dict[str, object]:
    """The document without its secret, and how long the stack has run."""
    values = asdict(stack)
    del values["ops_token"]
    return values | {"uptime_s": round(time.time() - stack.started_at, 1)}


def _table(stack: StackDocument) -> str:
    uptime = timedelta(seconds=int(time.time() - stack.started_at))
    rows = [
        (
            process.role,
            str(process.pid),
            str(process.port or ""),
            ",".join(map(str, process.cpu_set)) or "any",
            str(process.restart_count),
            "yes" if process.ready else "no",
        )
        for process in stack.processes
    ]
    widths = [max(map(len, column)) for column in zip(_COLUMNS, *rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in (_COLUMNS, *rows))
    title = f"{stack.url}  {stack.state}, edge {stack.edge}, {stack.products:,} products, up {uptime}"
    return "\n".join((title, *(line.rstrip() for line in lines)))
