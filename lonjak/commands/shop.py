"""`lonjak shop`: starts the reference shop with everything it needs, shows it, and stops it; lists its defects."""

import json
import textwrap
from dataclasses import asdict

import click

from loadgen.cpus import split
from loadgen.errors import StackMissing
from loadgen.exitcodes import ExitCode
from lonjak import foreground
from lonjak.edge_options import PROFILE_NAMES, edge_options
from lonjak.shop_tables import WIDTH, defects_table
from lonjak.stack_status import status as status_of
from reference_shop.defects import DEFECTS
from reference_shop.edges import EdgeOptions, programs
from reference_shop.protections import PROTECTIONS
from reference_shop.stack import client
from reference_shop.stack.settings import StackSettings, default_run_as
from reference_shop.throttles import KINDS, TIERS


def _epilog() -> str:
    """What the options can name, and examples; the mark keeps click from filling the lines."""
    protections = [
        textwrap.fill(f"{name}: {sentence}", WIDTH - 2, subsequent_indent="  ")
        for name, sentence in PROTECTIONS.items()
    ]
    throttles = textwrap.fill(
        f"TIER is one of {', '.join(TIERS)}. KIND is one of {', '.join(KINDS)}: requests (of the database: sessions) "
        "at once, milliseconds for each request, a share of one core.",
        WIDTH - 2,
    )
    examples = (
        "lonjak shop up --edge nginx --detach",
        "lonjak shop up --edge two-tier --purge auto --tls --origin-rtt-ms 30",
        "lonjak shop up --without waiting-room --throttle payment.delay-ms=300",
    )
    paragraphs = (["Protections:", *protections], ["Throttles:", throttles], ["Examples:", *examples])
    return "\n\n".join("\b\n" + "\n".join(lines) for lines in paragraphs)


@click.group("shop")
def command() -> None:
    """Start, show and stop the reference shop."""


@command.command("up", epilog=_epilog())
@click.option("--edge", metavar="PROFILE", help=f"One of {', '.join(PROFILE_NAMES)}; nginx where it is installed.")
@edge_options()
@click.option("--workers", metavar="N", type=int, default=2, show_default=True, help="Worker processes of the shop.")
@click.option("--products", metavar="N", type=int, default=20_000, show_default=True, help="Catalogue size.")
@click.option("--seed", metavar="N", type=int, default=1, show_default=True, help="Same seed, same catalogue.")
@click.option("--database-url", metavar="URL", help="A PostgreSQL to use (a schema of our own); else one is started.")
@click.option("--port", metavar="PORT", type=int, default=8080, show_default=True, help="0 takes a free one.")
@click.option("--payment-latency-ms", metavar="N", type=int, help="A fixed time per payment; else log-normal, 80 ms.")
@click.option(
    "--past-orders", metavar="N", type=int, default=0, show_default=True, help="Orders of the two years before."
)
@click.option(
    "--changes-per-s",
    metavar="R",
    type=float,
    default=2.0,
    show_default=True,
    help="How often the back office changes a price, a stock or a promotion; 0: never.",
)
@click.option("--without", metavar="PROTECTION", multiple=True, help="Leave one out, or all; may be repeated.")
@click.option("--throttle", "throttles", metavar="TIER.KIND=VALUE", multiple=True, help="May be repeated.")
@click.option(
    "--defect",
    "defects",
    metavar="NAME",
    multiple=True,
    help="Plant one that `lonjak shop defects` lists; may be repeated.",
)
@click.option("--detach", is_flag=True, help="Return when the shop is ready, and leave it running.")
def up(
    edge: str | None,
    edge_options: EdgeOptions,
    workers: int,
    products: int,
    seed: int,
    database_url: str | None,
    port: int,
    payment_latency_ms: int | None,
    past_orders: int,
    changes_per_s: float,
    without: tuple[str, ...],
    throttles: tuple[str, ...],
    defects: tuple[str, ...],
    detach: bool,
) -> ExitCode:
    """Start database, payment provider, shop, edge and back office; print the address when they are ready.

    Without --detach they run until Ctrl-C. `lonjak shop down` stops them in any case.
    """
    cpus = split()
    settings = StackSettings(
        port=port,
        edge=edge or ("nginx" if programs.find("nginx") else "direct"),
        edge_options=edge_options,
        workers=workers,
        products=products,
        seed=seed,
        database_url=database_url,
        payment_latency_ms=payment_latency_ms,
        past_orders=past_orders,
        changes_per_s=changes_per_s,
        without=without,
        throttles=throttles,
        defects=defects,
        stack_cpus=cpus.stack,
        generator_cpus=cpus.generator,
        run_as=default_run_as(),
    )
    return foreground.run(settings, detach=detach)


@command.command("status")
@click.option("--port", metavar="PORT", type=int, help="Only the shop on this port.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def status(port: int | None, as_json: bool) -> ExitCode:
    """Show running shops: processes, ports, CPU sets, restarts, readiness, what they were built from."""
    shops, edges = client.stacks(port, "shop"), client.stacks(port, "edge")
    if not shops:
        also = "; an edge runs: `lonjak edge status`" if edges else ""
        raise StackMissing(f"no shop is running: start one with `lonjak shop up`{also}")
    click.echo(status_of(shops, as_json=as_json))
    if edges:
        click.echo("an edge of its own runs as well: `lonjak edge status`", err=True)
    return ExitCode.PASS


@command.command("defects", epilog="Example: lonjak shop defects --json")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def list_defects(as_json: bool) -> ExitCode:
    """List the defects that can be planted: the pillar that each breaks, what shoppers see, and what finds it."""
    defects = list(DEFECTS.values())
    click.echo(json.dumps([asdict(defect) for defect in defects]) if as_json else defects_table(defects))
    return ExitCode.PASS


@command.command("down")
@click.option("--port", metavar="PORT", type=int, help="Only the shop on this port; without it, all of yours.")
def down(port: int | None) -> ExitCode:
    """Stop running shops, and take away what a killed one left behind; edges of `lonjak edge up` stay."""
    for sentence in client.stop(port, "shop") or ["no shop is running"]:
        click.echo(sentence)
    return ExitCode.PASS
