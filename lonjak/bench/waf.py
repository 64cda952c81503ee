"""Section `waf`: what each paranoia level of the OWASP Core Rule Set keeps out, and whom else; what it costs.

At every level, and without: the attacks of attacks.toml, one after the other; then an evening of the marketplace's
shoppers, the same ones each time.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from csv import DictReader
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from loadgen.config import load_scenario
from loadgen.cpus import split
from loadgen.records import strict_json
from loadgen.rundir import RunDirectory
from lonjak.bench.attack_client import Outcome, attack, corpus
from lonjak.bench.section import Section, Settings
from lonjak.bench.shop_stack import running_stack
from lonjak.onerun import RunOptions, run_scenario
from lonjak.progress import Progress
from reference_shop.edges import PROFILES, EdgeOptions
from reference_shop.edges.programs import missing, needed
from reference_shop.stack.document import FILE_NAME, StackDocument
from reference_shop.stack.folder import stack_folders
from reference_shop.stack.settings import StackSettings, default_run_as

LEVELS = (0, 1, 2, 3, 4)
_PRODUCTS = 20_000
_EDGE = "nginx"
_SCENARIO = "evening"
_LEAST_DURATION_S = 20.0
_PER_ROUND = 8.0  # an evening lasts so many measurements of the other sections
_HEADINGS = (
    "WAF",
    "attacks stopped",
    "shoppers' requests",
    "of them blocked",
    "orders",
    "product page p99",
    "added",
    "edge CPU/1,000",
)


@dataclass(frozen=True, slots=True)
class Level:
    """One paranoia level (0: no WAF). Times in milliseconds, processor time in seconds per 1,000 requests.

    stopped: by class of attack, how many of how many never got to the shop. `p99_ms` is of product pages: an answer
    longer than a loopback segment of 64 kB, as a large picture is, may wait 40 ms for an acknowledgement.
    """

    level: int
    attack_count: int
    stopped_count: int
    stopped: dict[str, tuple[int, int]]
    request_count: int
    blocked_count: int
    session_count: int
    order_count: int
    p99_ms: float
    edge_cpu_s_per_1000: float


def waf(settings: Settings, progress: Progress) -> Section:
    """Every level in turn."""
    lacking = missing(needed(PROFILES[_EDGE], EdgeOptions(waf=1)))
    if lacking:
        return Section("waf", skipped=f"not installed: {', '.join(lacking)}")
    rows = tuple(_level(level, settings, progress) for level in LEVELS)
    return Section("waf", _sentence(rows), _HEADINGS, tuple(_line(row, rows[0]) for row in rows), rows)


def _level(level: int, settings: Settings, progress: Progress) -> Level:
    cpus = split()
    wanted = StackSettings(
        port=0,
        edge=_EDGE,
        edge_options=EdgeOptions(waf=level),
        products=settings.share_of(_PRODUCTS),
        changes_per_s=0,
        stack_cpus=cpus.stack,
        generator_cpus=cpus.generator,
        run_as=default_run_as(),
    )
    title = f"waf, level {level}"
    with running_stack(wanted, progress, title) as stack, _evening(stack, settings, progress) as run:
        progress.start(f"{title}: attacks")
        outcomes = attack(stack.port, corpus())
        return measured(level, outcomes, _summary(run), edge_cpu_s(run))


@contextmanager
def _evening(stack: StackDocument, settings: Settings, progress: Progress) -> Iterator[RunDirectory]:
    """The run of an evening; its folder is gone at the end of the block."""
    duration_s = max(_LEAST_DURATION_S, _PER_ROUND * settings.duration_s)
    scenario = replace(load_scenario(_SCENARIO, {"duration": f"{duration_s:g}s", "seed": "1"}), faults=())
    (folder,) = stack_folders(stack.port)
    with tempfile.TemporaryDirectory(prefix="lonjak-bench-") as out:
        options = RunOptions(target=stack.url, out=Path(out), faults=False, stack=folder / FILE_NAME)
        answer = run_scenario(scenario, options, progress)
        yield RunDirectory(answer.report.parent)


def _summary(run: RunDirectory) -> dict[str, Any]:
    found = strict_json(run.summary.read_text(encoding="utf-8"))
    return found if isinstance(found, dict) else {}


def edge_cpu_s(run: RunDirectory) -> float:
    """Processor time of the edge's processes over the whole run: tiers.csv has each second's."""
    with run.tiers.open(encoding="utf-8", newline="") as file:
        return sum(float(row["cpu_ratio"]) for row in DictReader(file) if row["tier"] in ("edge", "front"))


def measured(level: int, outcomes: Sequence[Outcome], summary: dict[str, Any], edge_s: float) -> Level:
    """The figures of a level. An edge that blocks a shopper answers 403, which counts as `http_4xx`."""
    stopped: dict[str, tuple[int, int]] = {}
    for outcome in outcomes:
        kept_out, sent = stopped.get(outcome.kind, (0, 0))
        stopped[outcome.kind] = (kept_out + (not outcome.reached), sent + 1)
    requests = summary["requests"]["count"]
    blocked = sum(kinds.get("http_4xx", 0) for kinds in summary["errors"]["by_page_kind"].values())
    return Level(
        level=level,
        attack_count=len(outcomes),
        stopped_count=sum(not outcome.reached for outcome in outcomes),
        stopped=stopped,
        request_count=requests,
        blocked_count=blocked,
        session_count=summary["sessions"]["arrived_count"],
        order_count=summary["orders"]["acknowledged_count"],
        p99_ms=summary["response_time_ms"]["product"]["p99"],
        edge_cpu_s_per_1000=edge_s * 1000 / max(1, requests),
    )


def _line(row: Level, without: Level) -> tuple[str, ...]:
    return (
        f"level {row.level}" if row.level else "none",
        f"{row.stopped_count} of {row.attack_count}",
        f"{row.request_count:,}",
        f"{row.blocked_count:,}",
        f"{row.order_count:,} ({row.order_count - without.order_count:+,})",
        f"{row.p99_ms:,.1f} ms",
        f"{row.p99_ms - without.p99_ms:+,.1f} ms",
        f"{row.edge_cpu_s_per_1000:.2f} s",
    )


def _sentence(rows: Sequence[Level]) -> str:
    classes = "; ".join(
        f"{kind} {', '.join(f'{row.stopped[kind][0]}' for row in rows)} of {rows[0].stopped[kind][1]}"
        for kind in sorted(rows[0].stopped)
    )
    return (
        f"The same {rows[0].session_count:,} shoppers at every level. Stopped is what the shop itself never saw, by "
        f"class and level: {classes}. One evening a level: differences of a few orders or milliseconds are chance."
    )
