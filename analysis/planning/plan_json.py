"""A plan as it stands in plan.json; docs/plan.md describes it."""

from analysis.planning.money import Cost
from analysis.planning.planned import Plan, SizedShop
from analysis.planning.sizing import TierSize
from loadgen.records import Json

SCHEMA_VERSION = 1


def plan_as_json(plan: Plan) -> dict[str, Json]:
    """All figures of a plan; units stand in the names."""
    wishes = plan.wishes
    return {
        "schema_version": SCHEMA_VERSION,
        "run": {
            "scenario": plan.manifest.scenario,
            "target": plan.manifest.target,
            "edge": plan.manifest.edge,
            "seed": plan.manifest.seed,
            "started_at": plan.manifest.started_at,
        },
        "peak_factor": wishes.peak_factor,
        "headroom_ratio": wishes.headroom,
        "currency": wishes.prices.currency if wishes.prices else None,
        "measured": _measured(plan),
        "objectives": [
            {"objective": str(held.objective), "outcome": _outcome(held.broken, held.sentence), "reason": held.sentence}
            for held in plan.rulings
        ],
        "sizes": [_size(shop) for shop in plan.sizes],
        "assumptions": plan.assumptions,
    }


def _outcome(broken: bool, sentence: str | None) -> str:
    return "fail" if broken else "unknown" if sentence else "pass"


def _measured(plan: Plan) -> Json:
    measured = plan.measured
    return {
        "sessions_per_s": measured.sessions_per_s,
        "requests_per_session": measured.requests_per_session,
        "orders_per_session": measured.orders_per_session,
        "bytes_per_session": measured.bytes_per_session,
        "generator_cpu_s_per_request": measured.generator_s.as_json(),
        "tiers": {
            demand.tier: {
                "cpu_s_per_request": {"value": demand.seconds, "low": demand.low_s, "high": demand.high_s},
                "visits_ratio": measured.visits[demand.tier],
                "worker_count": measured.workers.get(demand.tier),
            }
            for demand in measured.demands
        },
    }


def _size(shop: SizedShop) -> Json:
    database, traffic = shop.database, shop.traffic
    return {
        "shoppers_per_h": shop.load.shoppers_per_h,
        "orders_per_min": shop.load.orders_per_min,
        "peak_sessions_per_s": shop.load.peak_sessions_per_s,
        "peak_requests_per_s": shop.requests_per_s,
        "tiers": {tier.tier: _tier(tier) for tier in shop.sizing.tiers},
        "response_time_ms": shop.response_ms,
        "full_at_shoppers_per_h": shop.full_at_per_h,
        "full_first": shop.sizing.tightest.tier,
        "edge": {
            "peak_mbit_per_s": traffic.peak_mbit_per_s,
            "peak_gb_per_h": traffic.peak_gb_per_h,
            "mean_gb_per_h": traffic.mean_gb_per_h,
        },
        "database": None
        if database is None
        else {
            "busy_count": database.busy.as_json(),
            "requests_per_s": database.requests_per_s,
            "requests_at_work_count": database.at_work,
            "connection_count": database.connections,
        },
        "generator_count": shop.generators.as_json(),
        "cost": None if shop.cost is None else _cost(shop.cost),
    }


def _tier(tier: TierSize) -> Json:
    return {
        "worker_count": tier.workers.as_json(),
        "busy_count": tier.busy.as_json(),
        "utilisation_ratio": tier.station.utilisation_ratio,
        "waits_ratio": tier.station.waits_ratio,
        "mean_wait_ms": 1000 * tier.station.mean_wait_s,
        "decided_by": tier.decided_by,
    }


def _cost(cost: Cost) -> Json:
    return {
        "per_h": cost.per_h.as_json(),
        "per_month": cost.per_month.as_json(),
        "parts_per_month": dict(cost.parts_per_month),
    }
