"""A recorded run and wishes in, a plan out: the door of this package. `plan` computes, `document` is plan.json."""

import math
from collections.abc import Sequence

from analysis import canonical
from analysis.bootstrap import Estimate
from analysis.health import PLANNED_CPU_RATIO
from analysis.planning import assumptions
from analysis.planning.curves import Curves, curves
from analysis.planning.measured import ALL, Measured
from analysis.planning.money import cost
from analysis.planning.network import Station
from analysis.planning.plan_json import plan_as_json
from analysis.planning.planned import Database, Plan, SizedShop, Traffic
from analysis.planning.response import ResponseTimes, Ruling, percentiles_ms, plannable, ruling
from analysis.planning.sizing import Sizer, Sizing
from analysis.planning.visits import DATABASE, SHOP
from analysis.planning.wishes import SIZES_PER_H, Load, Wishes
from loadgen.errors import TooLittleKnown
from loadgen.manifest import Manifest
from loadgen.objectives import Objective

_USUAL = ("p50", "p95", "p99")


def plan(manifest: Manifest, objectives: Sequence[Objective], measured: Measured, wishes: Wishes) -> Plan:
    """The plan of a run, `objectives` are its scenario's; TooLittleKnown when orders are wanted and none came."""
    wanted = objectives if wishes.objectives is None else wishes.objectives
    rulings = tuple(ruling(objective, measured) for objective in wanted if plannable(objective))
    left_out = tuple(str(objective) for objective in wanted if not plannable(objective))
    sizer = Sizer(measured, wishes.headroom, [held.allowance for held in rulings if held.allowance])
    times = ResponseTimes(measured)
    shown = _shown(rulings)
    sizes = tuple(
        _sized(load, measured, wishes, sizing, percentiles_ms(times, sizing.stations, shown))
        for load in loads(wishes, measured)
        for sizing in (sizer.size(load.peak_sessions_per_s * measured.requests_per_session),)
    )
    return Plan(
        manifest=manifest,
        measured=measured,
        wishes=wishes,
        rulings=rulings,
        sizes=sizes,
        assumptions=tuple(assumptions.sentences(measured, wishes, sizes, rulings, left_out)),
        curves=_curves(measured, sizer, times, rulings, sizes),
    )


def document(planned: Plan) -> str:
    """The text of plan.json; the same run and wishes give the same bytes."""
    return canonical.text(plan_as_json(planned))


def loads(wishes: Wishes, measured: Measured) -> list[Load]:
    """The sizes that are wanted, ascending, each once."""
    orders = measured.orders_per_session
    if wishes.orders_per_min and not orders > 0:
        raise TooLittleKnown(
            "no plan by orders can be made of this run: none of its sessions ended in an order; give "
            "--shoppers-per-hour, or record a longer run"
        )
    per_h = [*wishes.shoppers_per_h, *(wanted * 60 / orders for wanted in wishes.orders_per_min)] or SIZES_PER_H
    return [Load(shoppers, shoppers * orders / 60, wishes.peak_factor) for shoppers in sorted(set(per_h))]


def _sized(
    load: Load, measured: Measured, wishes: Wishes, sizing: Sizing, response_ms: dict[str, dict[str, float | None]]
) -> SizedShop:
    requests_per_s = load.peak_sessions_per_s * measured.requests_per_session
    traffic, prices = _traffic(load, measured), wishes.prices
    gb_per_h = {"peak_gb_per_h": traffic.peak_gb_per_h, "mean_gb_per_h": traffic.mean_gb_per_h}
    return SizedShop(
        load=load,
        requests_per_s=requests_per_s,
        sizing=sizing,
        response_ms=response_ms,
        full_at_per_h=load.peak_shoppers_per_h / sizing.tightest.station.utilisation_ratio,
        traffic=traffic,
        database=_database(sizing, requests_per_s, measured),
        generators=_generators(measured.generator_s, requests_per_s),
        cost=cost(sizing, prices, **gb_per_h) if prices else None,
    )


def _shown(rulings: Sequence[Ruling]) -> dict[str, tuple[str, ...]]:
    """Which percentiles of which page kinds are shown: the usual ones of all, and those of objectives."""
    shown: dict[str, tuple[str, ...]] = {ALL: _USUAL}
    for held in rulings:
        _, kind, percentile = held.objective.path
        shown[kind] = tuple(dict.fromkeys((*shown.get(kind, ()), percentile)))
    return shown


def _traffic(load: Load, measured: Measured) -> Traffic:
    peak_bytes_per_s = load.peak_sessions_per_s * measured.bytes_per_session
    return Traffic(
        peak_mbit_per_s=peak_bytes_per_s * 8 / 1e6,
        peak_gb_per_h=peak_bytes_per_s * 3600 / 1e9,
        mean_gb_per_h=load.shoppers_per_h * measured.bytes_per_session / 1e9,
    )


def _database(sizing: Sizing, requests_per_s: float, measured: Measured) -> Database | None:
    by_tier = {tier.tier: tier for tier in sizing.tiers}
    if (database := by_tier.get(DATABASE)) is None:
        return None
    shop, held = by_tier.get(SHOP), measured.connections_per_worker
    return Database(
        busy=database.busy,
        requests_per_s=requests_per_s * database.station.visits,
        at_work=_at_work(database.station, requests_per_s),
        connections=math.ceil(held * shop.count) if held and shop else None,
    )


def _at_work(station: Station, requests_per_s: float) -> float:
    """How many requests are at a station on average, waiting or served (Little, Operations Research 9, 1961)."""
    return station.offered + requests_per_s * station.visits * station.mean_wait_s


def _generators(each_s: Estimate, requests_per_s: float) -> Estimate:
    """Generating processes that bring this load when each is used as far as health plans for."""
    bounds = (each_s.value, each_s.low, each_s.high)
    return Estimate(
        *(
            None if each is None else float(max(1, math.ceil(each * requests_per_s / PLANNED_CPU_RATIO)))
            for each in bounds
        )
    )


def _curves(
    measured: Measured, sizer: Sizer, times: ResponseTimes, rulings: Sequence[Ruling], sizes: Sequence[SizedShop]
) -> Curves:
    """The picture's lines, for the first objective that was planned for, else for p95 of all requests."""
    held = next((held.objective for held in rulings if held.allowance), None)
    kind, percentile = (held.path[1], held.path[2]) if held else (ALL, "p95")
    planned = [(shop.load.peak_shoppers_per_h, [tier.count for tier in shop.sizing.tiers]) for shop in sizes]
    return curves(measured, sizer, times, (kind, percentile, held.limit if held else None), planned)
