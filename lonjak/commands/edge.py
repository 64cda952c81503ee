"""`lonjak edge`: puts an edge before any origin, shows it and stops it again, lists the profiles, compares them."""

import json
from dataclasses import asdict

import click

from loadgen.cpus import split
from loadgen.errors import StackMissing, TargetUnreachable
from loadgen.exitcodes import ExitCode
from loadgen.gate import Gate
from loadgen.target import check_reachable
from lonjak import foreground
from lonjak.commands import edge_compare
from lonjak.edge_options import PROFILE_NAMES, edge_options
from lonjak.edge_tables import profiles_table
from lonjak.stack_status import status as status_of
from reference_shop.edges import PROFILES, EdgeOptions
from reference_shop.stack import client
from reference_shop.stack.settings import StackSettings, default_run_as

_EXAMPLES = """\b
Examples:
  lonjak edge up --profile nginx --origin http://127.0.0.1:8000
  lonjak edge up --profile varnish --origin http://127.0.0.1:8000 --detach"""


@click.group("edge")
def command() -> None:
    """Put an edge in front of any origin, and compare the profiles."""


command.add_command(edge_compare.command)


@command.command("up", epilog=_EXAMPLES)
@click.option(
    "--profile", metavar="PROFILE", required=True, help=f"One of {', '.join(PROFILE_NAMES[1:])}: see `edge profiles`."
)
@click.option("--origin", metavar="URL", required=True, help="What it stands before: http or https, host and port.")
@click.option("--port", metavar="PORT", type=int, default=8081, show_default=True, help="0 takes a free one.")
@click.option("--allow-host", "allow_hosts", multiple=True, metavar="HOST", help="A host that you may load.")
@edge_options(purge=False)
@click.option("--detach", is_flag=True, help="Return when the edge is ready, and leave it running.")
def up(
    profile: str,
    origin: str,
    port: int,
    allow_hosts: tuple[str, ...],
    edge_options: EdgeOptions,
    detach: bool,
) -> ExitCode:
    """Start an edge before an origin of your own; print the address (two for two-tier) when it is ready.

    Without --detach it runs until Ctrl-C. `lonjak edge down` stops it in any case.
    """
    cpus = split()
    settings = StackSettings(
        port=port,
        edge=profile,
        edge_options=edge_options,
        origin=origin,
        stack_cpus=cpus.stack,
        generator_cpus=cpus.generator,
        run_as=default_run_as(),
    )
    settings.check()
    Gate(allow_hosts).check_target(origin)
    client.check_programs(settings)
    _check_answers(origin)
    return foreground.run(settings, detach=detach)


@command.command("status")
@click.option("--port", metavar="PORT", type=int, help="Only the edge on this port.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def status(port: int | None, as_json: bool) -> ExitCode:
    """Show running edges of `edge up`: processes, ports, CPU sets, restarts, readiness, options."""
    edges = client.stacks(port, "edge")
    if not edges:
        also = "; a shop runs: `lonjak shop status`" if client.stacks(port, "shop") else ""
        raise StackMissing(f"no edge is running: start one with `lonjak edge up`{also}")
    click.echo(status_of(edges, as_json=as_json))
    return ExitCode.PASS


@command.command("down")
@click.option("--port", metavar="PORT", type=int, help="Only the edge on this port; without it, all of yours.")
def down(port: int | None) -> ExitCode:
    """Stop edges that `edge up` started; those of a shop end with it."""
    for sentence in client.stop(port, "edge") or ["no edge is running"]:
        click.echo(sentence)
    return ExitCode.PASS


@command.command("profiles", epilog="Example: lonjak edge profiles --json")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def list_profiles(as_json: bool) -> ExitCode:
    """List the profiles: what each needs and promises, and what the safety probes are expected to find in it."""
    profiles = list(PROFILES.values())
    click.echo(json.dumps([asdict(profile) for profile in profiles]) if as_json else profiles_table(profiles))
    return ExitCode.PASS


def _check_answers(origin: str) -> None:
    """Raise TargetUnreachable, with what to do about an origin, when nothing accepts a connection there."""
    try:
        check_reachable(origin)
    except TargetUnreachable as problem:
        reason = problem.__context__.strerror if isinstance(problem.__context__, OSError) else None
        raise TargetUnreachable(
            f"nothing answers at the origin {origin} ({reason or 'no answer in time'}): "
            "start it first, or give another with --origin"
        ) from None
