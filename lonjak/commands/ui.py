"""`lonjak ui`: Locust's web UI with our shoppers in it; each run that ends there is reported at once."""

import contextlib
from pathlib import Path

import click

from loadgen.config import load_scenario
from loadgen.cpus import split
from loadgen.errors import EnvironmentProblem
from loadgen.exitcodes import ExitCode
from loadgen.gate import Gate
from lonjak import generator
from lonjak.preflight import check_target, choose_targets
from lonjak.reporter import Reporter
from reference_shop.stack.ports import check_free


@click.command("ui", epilog="Example: lonjak shop up --detach && lonjak ui")
@click.argument("scenario", metavar="[SCENARIO]", default="evening")
@click.option("--target", metavar="URL", help="The shop's address; without it, the running stack's.")
@click.option("--port", default=8089, show_default=True, type=click.IntRange(1, 65535), help="The web UI's port.")
@click.option("--generators", default=1, show_default=True, type=click.IntRange(1, 64), help="Load processes.")
@click.option(
    "--out", metavar="DIR", default=Path("runs"), type=click.Path(path_type=Path), help="Where runs are kept."
)
@click.option("--allow-host", "allow_hosts", multiple=True, metavar="HOST", help="A host that you may load.")
@click.option("--no-faults", is_flag=True, help="Leave the scenario's faults out.")
def command(
    scenario: str,
    target: str | None,
    port: int,
    generators: int,
    out: Path,
    allow_hosts: tuple[str, ...],
    no_faults: bool,
) -> ExitCode:
    """Open Locust's web UI on 127.0.0.1, ready to start SCENARIO; Ctrl-C leaves it.

    In its form, "Number of users" is the most shoppers that may be in the shop at once, and the rate of their arrival
    stands under "Custom parameters"; "Ramp up" has no meaning here. Each run that ends is reported at once.
    """
    resolved = load_scenario(scenario, {"target": target})
    urls, gate = choose_targets((resolved.target,) if resolved.target else ()), Gate(allow_hosts)
    for url in urls:
        check_target(url, gate)
    check_free(port)
    options = ["--web-host", "127.0.0.1", "--web-port", str(port), "--host", urls[0], *generator.processes(generators)]
    options += ["--scenario", scenario, "--out", str(out), *(["--no-faults"] if no_faults else [])]
    for url in urls[1:]:
        options += ["--more-host", url]
    for host in allow_hosts:
        options += ["--allow-host", host]
    reporter = Reporter(out / resolved.name)
    click.echo(f"http://127.0.0.1:{port}")
    with contextlib.suppress(KeyboardInterrupt):  # Ctrl-C is how one leaves a web UI
        locust = generator.locust_command([generator.door()], options)
        code, interrupted = generator.serve(locust, split().generator, reporter.look)
        reporter.look()
        if code and not interrupted:
            raise EnvironmentProblem(f"Locust ended with {code}")
    return ExitCode.PASS
