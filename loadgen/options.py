"""Our command line options beside Locust's own, read once at the start: no form and no message changes them later."""

from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from locust.argument_parser import LocustArgumentParser

DEFAULT_SCENARIO = "evening"
STOP_TIMEOUT_S = "10"  # Locust's own default of 0 kills users in the middle of a request, which is then not recorded


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line said; None where it said nothing."""

    scenario: str | None
    run_dir: Path | None
    out: Path
    rate: str | None
    seed: str | None
    allow_hosts: tuple[str, ...]
    faults: bool
    objectives: Path | None
    stack: Path | None
    stop_with: int | None
    command: str | None
    duration_s: float | None
    headless: bool
    host: str | None = None
    more_hosts: tuple[str, ...] = ()

    @classmethod
    def of(cls, parsed: Namespace) -> Self:
        """The options that were parsed."""
        return cls(
            scenario=parsed.scenario,
            run_dir=Path(parsed.run_dir) if parsed.run_dir else None,
            out=Path(parsed.out),
            rate=parsed.rate or None,
            seed=parsed.seed,
            allow_hosts=tuple(parsed.allow_host or ()),
            faults=not parsed.no_faults,
            objectives=Path(parsed.objectives) if parsed.objectives else None,
            stack=Path(parsed.stack) if parsed.stack else None,
            stop_with=parsed.stop_with,
            command=parsed.command,
            duration_s=float(parsed.run_time) if parsed.run_time else None,
            headless=bool(parsed.headless),
            host=parsed.host or None,
            more_hosts=tuple(parsed.more_host or ()),
        )


def add_options(parser: LocustArgumentParser, shown_rate: Callable[[], float | None]) -> None:
    """Add our options, and make Locust's own defaults safe. `shown_rate` is what the web form offers as the rate."""
    parser.set_defaults(web_host="127.0.0.1", master_bind_host="127.0.0.1", stop_timeout=STOP_TIMEOUT_S)
    rate = shown_rate()
    parser.add_argument("--rate", metavar="<number>", help="Sessions per second", default=f"{rate:g}" if rate else None)
    # Options of a group do not show in the web form.
    group = parser.add_argument_group("Lonjak", "What is recorded, where, and what may be loaded.")

    def add(flag: str, text: str, **how: Any) -> None:
        group.add_argument(flag, help=text, **how)

    add("--scenario", f"Name or .toml file of the scenario. Defaults to {DEFAULT_SCENARIO}.", metavar="<name>")
    add("--seed", "Seed of all draws: same seed, same arrivals.", metavar="<int>")
    add("--run-dir", "An existing, empty directory to record into.", metavar="<dir>")
    add("--out", "Where runs are kept, else in runs/.", metavar="<dir>", default="runs")
    add("--allow-host", "A host besides loopback that you may load. Repeatable.", metavar="<host>", action="append")
    add("--more-host", "A further address of the same shop. Repeatable.", metavar="<url>", action="append")
    add("--objectives", "A TOML file of objectives in place of the scenario's.", metavar="<file>")
    add("--stack", "The stack.json of the shop under load.", metavar="<file>")
    add("--no-faults", "Leave the scenario's faults out.", action="store_true")
    add("--command", "The command to note in the manifest.", metavar="<text>")
    add("--stop-with", "End the run when the process with this id is gone.", metavar="<pid>", type=int)
