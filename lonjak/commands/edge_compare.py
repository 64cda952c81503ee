"""`lonjak edge compare SCENARIO`: the same load over several edge profiles, side by side."""

from pathlib import Path

import click

from loadgen.config import load_scenario
from loadgen.cpus import split
from loadgen.exitcodes import ExitCode
from lonjak import calibration, edge_study
from lonjak.edge_options import waf_option
from lonjak.progress import Progress
from lonjak.study_plan import NAMES, StudyPlan, Trial
from reference_shop.edges import EdgeOptions
from reference_shop.edges.options import PURGES
from reference_shop.stack.settings import StackSettings, default_run_as

_EXAMPLES = """\b
Examples:
  lonjak edge compare evening --profiles nginx-pass,nginx,varnish
  lonjak edge compare evening --profiles nginx,custom --edge-config my-nginx.conf
  lonjak edge compare evening --profiles direct,nginx,two-tier --duration 2m --repeats 3 --origin-rtt-ms 80"""


@click.command("compare", epilog=_EXAMPLES)
@click.argument("scenario", metavar="SCENARIO")
@click.option("--profiles", metavar="A,B,…", required=True, help=f"Two or more of {', '.join(NAMES)}.")
@click.option("--rate", metavar="R", help="Sessions per second; without it, as many as this machine bears well.")
@click.option("--duration", metavar="D", help="How long sessions arrive, for each profile.")
@click.option("--seed", metavar="N", help="Same seed, same shoppers at the same instants.")
@click.option(
    "--repeats", default=1, show_default=True, type=click.IntRange(1, 20), help="Runs of each profile; 3 show more."
)
@click.option(
    "--origin-rtt-ms", default=40.0, show_default=True, type=float, help="How far the shop is from its edges."
)
@click.option("--purge", default="auto", show_default=True, metavar="HOW", help=f"One of {', '.join(PURGES)}.")
@click.option(
    "--products", default=20_000, show_default=True, type=click.IntRange(1, 1_000_000), help="Catalogue size."
)
@click.option("--tls", is_flag=True, help="Shoppers speak HTTPS, with a certificate made for each shop.")
@waf_option
@click.option(
    "--edge-config",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Your nginx.conf or *.vcl, for the profile custom.",
)
@click.option("--out", metavar="DIR", default=Path("runs"), type=click.Path(path_type=Path), help="Where to keep runs.")
@click.option("--no-faults", is_flag=True, help="Leave the scenario's faults out.")
def command(
    scenario: str,
    profiles: str,
    rate: str | None,
    duration: str | None,
    seed: str | None,
    repeats: int,
    origin_rtt_ms: float,
    purge: str,
    products: int,
    tls: bool,
    waf: int,
    edge_config: Path | None,
    out: Path,
    no_faults: bool,
) -> ExitCode:
    """Send SCENARIO's shoppers through one edge profile after the other, and recommend one of them.

    Each profile gets a fresh shop of the same seed and size and the same shoppers. Without --rate, a short trial on the
    profile that costs the shop most finds a rate that leaves this machine most of its processors.
    """
    flags = {"rate": rate, "duration": duration, "seed": seed}
    whole = load_scenario(scenario, flags)
    cpus = split()
    plan = StudyPlan(
        scenario=whole,
        profiles=tuple(name.strip() for name in profiles.split(",") if name.strip()),
        settings=StackSettings(
            port=0,
            edge_options=EdgeOptions(
                tls=tls,
                waf=waf,
                origin_rtt_ms=origin_rtt_ms,
                purge=purge,
                config=str(edge_config.absolute()) if edge_config else None,
            ),
            products=products,
            stack_cpus=cpus.stack,
            generator_cpus=cpus.generator,
            run_as=default_run_as(),
        ),
        repeats=repeats,
        faults=not no_faults,
        trial=Trial(calibration.short(scenario, flags), scales=rate is None) if whole.load.has_rate else None,
        out=out,
    )
    with Progress() as progress:
        if plan.trial is None:
            progress.say(f"the load is not tried beforehand, as it has no rate: {whole.load.why_no_rate}")
        answer = edge_study.compare(plan, progress).answer
    click.echo(answer.sentence)
    click.echo(answer.report)
    return answer.code
