"""The command line: finds the command, and turns every error a user can cause into one sentence and an exit code."""

import importlib
import signal
import sys
from typing import NoReturn

import click

from loadgen.errors import LonjakError
from loadgen.exitcodes import ExitCode
from reference_shop.stack.problems import SettingsProblem, StackProblem

COMMANDS = (
    "demo", "run", "ui", "report", "compare", "capacity", "plan", "scenarios", "shop", "edge", "bench", "doctor",
)  # fmt: skip
EPILOG = "Exit codes: " + "; ".join(f"{code.value} {code.sentence}" for code in ExitCode) + "."


class LazyGroup(click.Group):
    """Imports a command's module only when that command is asked for: `lonjak --help` need not load pandas."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """All commands, in the order of COMMANDS."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of that name, None when there is none."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"lonjak.commands.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, but an unknown command is told the known ones."""
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            ctx.fail(f"no command {args[0]!r}; known: {', '.join(COMMANDS)}")
        return super().resolve_command(ctx, args)


@click.group(cls=LazyGroup, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="lonjak")
def cli() -> None:
    """Load and resilience testing for mass-market shops.

    How many shoppers can a shop hold, what breaks first, what does that cost? Start with `lonjak demo`.
    """


def main() -> NoReturn:
    """Run the command line and leave with its exit code. SIGTERM and SIGHUP end it in order, as Ctrl-C does."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:  # nohup has it ignored
            signal.signal(number, signal.default_int_handler)
    try:
        code = cli.main(prog_name="lonjak", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(ExitCode.USAGE)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(ExitCode.INTERRUPTED)
    except LonjakError as error:
        click.echo(f"lonjak: {error}", err=True)
        sys.exit(error.exit_code)
    except (SettingsProblem, StackProblem) as error:
        click.echo(f"lonjak: {error}", err=True)
        sys.exit(ExitCode.USAGE if isinstance(error, SettingsProblem) else ExitCode.ENVIRONMENT)
    except OSError as error:
        click.echo(f"lonjak: {error.strerror or error}: {error.filename or 'the operating system refused'}", err=True)
        sys.exit(ExitCode.ENVIRONMENT)
    sys.exit(code if isinstance(code, int) else ExitCode.PASS)


if __name__ == "__main__":
    main()
