"""`lonjak bench`: this machine's generator beside vanilla Locust and whatever peers are on PATH."""

import math

import click

from loadgen.errors import UsageProblem
from loadgen.exitcodes import ExitCode
from lonjak.bench.output import as_json, show
from lonjak.bench.section import Section, Settings
from lonjak.bench.sections import SECTIONS, WITHOUT_NGINX
from lonjak.bench.server import find_nginx
from lonjak.progress import Progress

_EXAMPLES = """\b
Examples:
  lonjak bench
  lonjak bench --only plain,memory --rounds 1
  lonjak bench --json > bench.json"""


@click.command("bench", epilog=_EXAMPLES)
@click.option("--only", metavar="NAME,…", help=f"These sections of {', '.join(SECTIONS)}; all without it.")
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1, 100), help="Of everybody in turn.")
@click.option(
    "--duration", default=5.0, show_default=True, metavar="SECONDS", type=click.FloatRange(0.5, 600.0), help="Of each."
)
@click.option(
    "--shoppers", default=2000, show_default=True, type=click.IntRange(100, 20_000), help="Who wait (memory)."
)
@click.option(
    "--shop-size",
    default=1.0,
    show_default=True,
    metavar="RATIO",
    type=click.FloatRange(0.0001, 1.0),
    help="Of product-page, order-cost, seeding and big-run: the share of their full sizes.",
)
@click.option("--json", "as_document", is_flag=True, help="For programs.")
def command(
    only: str | None, rounds: int, duration: float, shoppers: int, shop_size: float, as_document: bool
) -> ExitCode:
    """Measure this generator beside Locust's own users and the load tools on PATH, and the reference shop by itself.

    It passes and fails nothing. Starts what it needs on free ports of loopback, pins server and contender to a
    processor each, and leaves nothing behind. Keep the machine quiet meanwhile; all sections together take half an
    hour.
    """
    if not math.isfinite(duration):
        raise UsageProblem(f"--duration is {duration}, but must be a number of seconds from 0.5 to 600")
    if not math.isfinite(shop_size):
        raise UsageProblem(f"--shop-size is {shop_size}, but must be a share from 0.0001 to 1")
    names = chosen(only)
    if not WITHOUT_NGINX.issuperset(names):
        find_nginx()
    settings = Settings.here(rounds, duration, shoppers, shop_size)
    sections: list[Section] = []
    for name in names:
        with Progress() as progress:
            sections.append(SECTIONS[name](settings, progress))
        if not as_document:
            show(sections[-1], settings)
    if as_document:
        click.echo(as_json(sections, settings))
    return ExitCode.PASS


def chosen(only: str | None) -> list[str]:
    """The sections to measure, in their own order; UsageProblem names the valid ones."""
    if only is None:
        return list(SECTIONS)
    wanted = {name.strip() for name in only.split(",")}
    if unknown := sorted(wanted - set(SECTIONS)):
        raise UsageProblem(f"--only names {unknown[0]!r}, but the sections are {', '.join(SECTIONS)}")
    return [name for name in SECTIONS if name in wanted]
