"""What stack.json says of a stack as it is now."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from reference_shop.edges.options import caches
from reference_shop.stack.document import AccessLog, ProcessRecord, StackDocument, State
from reference_shop.stack.edge_part import EdgePart
from reference_shop.stack.identity import myself
from reference_shop.stack.ports import HOST
from reference_shop.stack.settings import StackSettings
from reference_shop.throttles import parse_throttle


@dataclass(frozen=True, slots=True)
class Operators:
    """The door of the shop's operators: on which port, and the token that opens it."""

    port: int
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a stack stands at this moment."""

    state: State
    started_at: float
    processes: tuple[ProcessRecord, ...]
    access_logs: tuple[AccessLog, ...]


def describe(
    settings: StackSettings,
    standing: Standing,
    edge: EdgePart,
    operators: Operators | None,
    *,
    control_groups: Iterable[Path],
    holds: Path,
) -> StackDocument:
    """The document of a stack; without `operators` there is no shop, and nothing is said of one."""
    has_shop = operators is not None
    return StackDocument(
        state=standing.state,
        url=edge.urls[0],
        urls=edge.urls,
        edge=settings.edge,
        port=int(edge.urls[0].rpartition(":")[2]),
        started_at=standing.started_at,
        products=settings.products if has_shop else 0,
        seed=settings.seed,
        workers=settings.workers if has_shop else 0,
        supervisor=myself(),
        owner=settings.owner,
        ops_url=f"http://{HOST}:{operators.port}/ops/truth" if operators else None,
        ops_token=operators.token if operators else None,
        cpu_sets={"stack": settings.stack_cpus, "generator": settings.generator_cpus},
        access_logs=standing.access_logs,
        processes=standing.processes,
        past_orders=settings.past_orders if has_shop else 0,
        changes_per_s=settings.changes_per_s if has_shop else 0.0,
        protections=settings.protections if has_shop else (),
        throttles=tuple(map(str, map(parse_throttle, settings.throttles))),
        defects=settings.defects if has_shop else (),
        control_groups=tuple(map(str, control_groups)),
        ca_file=edge.ca_file,
        caches=caches(settings.profile, settings.edge_options),
        edge_options=settings.resolved_edge_options,
        origin_link=edge.link,
        purge_doors=edge.purge_doors,
        holds=str(holds),
        origin=settings.origin,
    )
