"""`lonjak scenarios`: what can be run, one line each."""

import click

from loadgen.config import scenario_names


@click.command("scenarios")
def command() -> None:
    """List the scenarios that come with Lonjak."""
    names = scenario_names()
    width = max(len(name) for name in names)
    for name, description in names.items():
        click.echo(f"{name:<{width}}  {description}")
