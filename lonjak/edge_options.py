"""The options of an edge, the same for every command that starts one."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from loadgen.errors import UsageProblem
from reference_shop.edges import PROFILES, EdgeOptions
from reference_shop.edges.options import PURGES

Command = TypeVar("Command", bound=Callable[..., object])

PROFILE_NAMES = tuple(PROFILES)


def _waf_level(_context: click.Context, _parameter: click.Parameter, given: int | None) -> int:
    """The level of the rules, 0 without the option; whoever gives a 0 is told that it is no level."""
    if given == 0:
        raise UsageProblem("waf is 0: it must be a paranoia level from 1 to 4; leave --waf out for no rules")
    return given or 0


waf_option = click.option(
    "--waf", metavar="LEVEL", type=int, callback=_waf_level, help="ModSecurity's core rules, paranoia level 1 to 4."
)
_OPTIONS = (
    click.option("--tls", is_flag=True, help="Shoppers speak HTTPS, with a certificate made for this stack."),
    waf_option,
    click.option("--rate-limit", metavar="N", type=int, help="Requests per second that an address may send."),
    click.option(
        "--origin-rtt-ms", metavar="N", type=float, help="A link to the origin so far away, which can be cut."
    ),
    click.option(
        "--edge-config",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="Your nginx.conf or *.vcl, for the profile custom.",
    ),
)
_PURGE = click.option(
    "--purge",
    metavar="HOW",
    default="none",
    show_default=True,
    help=f"How what changes is taken out of the caches: {', '.join(PURGES)}.",
)


def edge_options(*, purge: bool = True) -> Callable[[Command], Command]:
    """A decorator that gives a command all of them, and hands them to it as one value, `edge_options`.

    Without `purge` it is left out: who purges follows the reference shop.
    """
    options = (*_OPTIONS, _PURGE) if purge else _OPTIONS

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def collecting(
            *arguments: Any,
            tls: bool,
            waf: int,
            rate_limit: int | None,
            origin_rtt_ms: float | None,
            edge_config: Path | None,
            purge: str = "none",
            **others: Any,
        ) -> object:
            config = str(edge_config.absolute()) if edge_config else None
            chosen = EdgeOptions(tls, waf, rate_limit, origin_rtt_ms, purge, config)
            return command(*arguments, edge_options=chosen, **others)

        decorated: Any = collecting
        for option in reversed(options):
            decorated = option(decorated)
        result: Command = decorated
        return result

    return decorate
