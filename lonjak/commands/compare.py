"""`lonjak compare A… -- B…`: what differs between runs, and whether that is more than chance."""

from pathlib import Path

import click

from loadgen.errors import UsageProblem
from loadgen.exitcodes import ExitCode
from lonjak import difference
from lonjak.progress import Progress

_EXAMPLES = """\b
Examples:
  lonjak compare runs/evening/20261122T081500Z -- runs/evening/20261123T081500Z
  lonjak compare before/evening/* -- after/evening/* --allow versions
  lonjak compare --trend runs/evening"""
_PATH = click.Path(path_type=Path)
_SEPARATOR = "\0"  # no path holds it


class TwoSides(click.Command):
    """A command whose arguments stand on two sides of `--`; options may stand anywhere."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does, but `--` parts arguments and does not end options."""
        return super().parse_args(ctx, [_SEPARATOR if argument == "--" else argument for argument in args])


@click.command("compare", cls=TwoSides, epilog=_EXAMPLES)
@click.argument("runs", metavar="A... -- B...", nargs=-1)
@click.option("--allow", "allowed", multiple=True, metavar="FIELD", help="A field in which the runs may differ.")
@click.option(
    "--margin",
    type=click.FloatRange(0.0, 0.5),
    metavar="RATIO",
    help="Changes up to this share are nobody's business (0.03).",
)
@click.option("--trend", metavar="FOLDER", type=_PATH, help="Show all runs below a folder over time instead.")
@click.option("--out", metavar="DIR", default=Path("runs"), show_default=True, type=_PATH, help="Where to keep it.")
def command(
    runs: tuple[str, ...], allowed: tuple[str, ...], margin: float | None, trend: Path | None, out: Path
) -> ExitCode:
    """Compare runs: is B worse than A, by how much, and how sure is that?

    A and B are one run or several each, all of the same load. Exit code 1 is a regression, 3 means that nothing can be
    said.
    """
    if trend is not None:
        return _trend(trend, runs, allowed, out)
    a, b = _sides(runs)
    with Progress() as progress:
        progress.start(f"comparing {len(a)} with {len(b)} {'run' if len(b) == 1 else 'runs'}")
        told = difference.compare(difference.open_runs(a), difference.open_runs(b), allowed, margin)
        place = difference.write(told, out)
    for sentence in told.limits:
        click.echo(sentence)
    click.echo(told.sentence)
    click.echo(place.report)
    return told.code


def _trend(folder: Path, runs: tuple[str, ...], allowed: tuple[str, ...], out: Path) -> ExitCode:
    from lonjak import trend  # noqa: PLC0415

    if runs:
        raise UsageProblem("--trend takes all runs below its folder: name no others")
    with Progress() as progress:
        progress.start(f"reading the runs below {folder}")
        told = trend.follow(folder, allowed, out)
    click.echo(told.table, nl=False)
    for sentence in told.sentences:
        click.echo(sentence)
    click.echo(told.report)
    return told.code


def _sides(runs: tuple[str, ...]) -> tuple[list[Path], list[Path]]:
    """The paths on both sides of `--`; of two runs alone the first is A."""
    if runs.count(_SEPARATOR) > 1:
        raise UsageProblem("one -- parts A from B")
    if _SEPARATOR not in runs:
        if len(runs) != 2:
            raise UsageProblem("say which runs are A and which are B: lonjak compare A… -- B…")
        return [Path(runs[0])], [Path(runs[1])]
    at = runs.index(_SEPARATOR)
    a, b = runs[:at], runs[at + 1 :]
    if not a or not b:
        raise UsageProblem(f"there is no run {'before' if not a else 'after'} the --: lonjak compare A… -- B…")
    return [Path(run) for run in a], [Path(run) for run in b]
