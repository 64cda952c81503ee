"""`lonjak plan RUN`: from what a run measured to a shop of any size."""

import math
import re
from pathlib import Path

import click

from loadgen.errors import ConfigProblem, UsageProblem
from loadgen.exitcodes import ExitCode
from loadgen.objectives import Objective, parse_objectives
from lonjak.plan_documents import draw_plan, open_run, read_run
from lonjak.plan_tables import show
from lonjak.progress import Progress

_EXAMPLES = """\b
Examples:
  lonjak plan runs/evening/20261123T081500Z
  lonjak plan runs/evening/20261123T081500Z --shoppers-per-hour 250000 --prices docs/prices.example.toml
  lonjak plan runs/evening/20261123T081500Z --orders-per-min 600 --peak-factor 20 --headroom 0.4
  lonjak plan runs/evening/20261123T081500Z --objective 'response_time_ms.checkout.p95 < 500'"""
_MOST_PER_H = 1e10


@click.command("plan", epilog=_EXAMPLES)
@click.argument("run", metavar="RUN", type=click.Path(path_type=Path))
@click.option(
    "--shoppers-per-hour",
    metavar="N",
    type=float,
    multiple=True,
    help="A size; several may be given. Default: 10,000 to 1,000,000.",
)
@click.option(
    "--orders-per-min", metavar="N", type=float, multiple=True, help="A size by orders; several may be given."
)
@click.option(
    "--peak-factor", metavar="F", default=1.0, show_default=True, help="How many times the mean load comes at the peak."
)
@click.option(
    "--headroom", metavar="R", default=0.3, show_default=True, help="The share of every tier that is free at the peak."
)
@click.option(
    "--prices", metavar="FILE", type=click.Path(path_type=Path), help="What workers and traffic cost, in TOML."
)
@click.option(
    "--objective",
    metavar="OBJECTIVE",
    multiple=True,
    help="'response_time_ms.all.p95 < 500', instead of the scenario's.",
)
@click.option("--out", metavar="DIR", type=click.Path(path_type=Path), help="Where to write; without it, into RUN.")
def command(
    run: Path,
    shoppers_per_hour: tuple[float, ...],
    orders_per_min: tuple[float, ...],
    peak_factor: float,
    headroom: float,
    prices: Path | None,
    objective: tuple[str, ...],
    out: Path | None,
) -> ExitCode:
    """Plan a shop of any size from what RUN (a run, or a part of a study) measured.

    Tells workers by tier, traffic, what the database bears, generators to test it and money, with 95 % intervals and
    all that it assumes. Writes plan.json and plan.html. Ends with 1 when an objective cannot be met by more workers,
    with 3 when the run does not tell what a request costs.
    """
    _check(shoppers_per_hour, orders_per_min, peak_factor, headroom)
    objectives = _objectives(objective)
    found = open_run(run)
    with Progress() as progress:
        progress.start(f"reading {found.path}")
        from analysis.planning.prices import read_prices  # noqa: PLC0415 - numpy takes a while to load
        from analysis.planning.wishes import Wishes  # noqa: PLC0415

        recording, measured = read_run(found)
        wishes = Wishes(
            shoppers_per_h=shoppers_per_hour,
            orders_per_min=orders_per_min,
            peak_factor=peak_factor,
            headroom=headroom,
            objectives=objectives or None,
            prices=read_prices(prices, [demand.tier for demand in measured.demands]) if prices else None,
        )
        progress.start("planning")
        folder = out or found.path
        plan = draw_plan(recording, measured, wishes, folder)
    show(plan)
    click.echo(folder / "plan.html")
    return ExitCode.FAIL if plan.broken else ExitCode.PASS


def _check(shoppers: tuple[float, ...], orders: tuple[float, ...], peak_factor: float, headroom: float) -> None:
    """Raise UsageProblem with every number that is none."""
    problems = [
        f"{option} is {value:g}, but must be a number {limit}"
        for option, values, low, high, limit in (
            ("--shoppers-per-hour", shoppers, 1.0, _MOST_PER_H, f"from 1 to {_MOST_PER_H:g}"),
            ("--orders-per-min", orders, 0.01, _MOST_PER_H / 60, f"from 0.01 to {_MOST_PER_H / 60:.2g}"),
            ("--peak-factor", (peak_factor,), 1.0, 1000.0, "from 1 to 1000"),
            ("--headroom", (headroom,), 0.0, 0.9, "from 0 to 0.9"),
        )
        for value in values
        if not (math.isfinite(value) and low <= value <= high)
    ]
    if problems:
        raise UsageProblem("\n".join(problems))


def _objectives(texts: tuple[str, ...]) -> tuple[Objective, ...]:
    """The objectives that were given; ConfigProblem names all that are wrong, or that no size decides on."""
    from analysis.planning.response import plannable  # noqa: PLC0415 - numpy takes a while to load

    found: list[Objective] = []
    problems: list[str] = []
    for text in texts:
        name = re.split("[<>=]", text, maxsplit=1)[0]
        parsed, wrong = parse_objectives({name.strip(): text[len(name) :]})
        problems += [f"--objective {text!r}: {problem}" for problem in wrong]
        problems += [
            f"--objective {text!r}: no number of workers decides on it; write 'response_time_ms.all.p95 < 500'"
            for objective in parsed
            if not plannable(objective)
        ]
        found += parsed
    if problems:
        raise ConfigProblem(problems)
    return tuple(found)
