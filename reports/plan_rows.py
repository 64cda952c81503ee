"""The tables of a plan as texts: a row a figure, a column a size; no arithmetic beyond formatting."""

from collections.abc import Callable, Iterable

from analysis.bootstrap import Estimate
from analysis.planning.planned import Database, Plan, SizedShop
from analysis.planning.sizing import TierSize
from loadgen.objectives import Objective
from reports import wording
from reports.comparison_rows import Cell, Row, Table

_NO_CELL = Cell(wording.NOTHING)
_CAPTION = "Shoppers per hour"


def columns(plan: Plan) -> list[str]:
    """The sizes, as heads of columns: shoppers per hour."""
    return [wording.count(shop.load.shoppers_per_h) for shop in plan.sizes]


def overview(plan: Plan) -> Table:
    """What is to be bought for each size, and what shoppers get for it."""
    rows = [
        *_rows(
            plan,
            "Load",
            ("orders a minute", lambda shop: Cell(figure(shop.load.orders_per_min))),
            ("shoppers a second, peak", lambda shop: Cell(figure(shop.load.peak_sessions_per_s))),
            ("requests a second, peak", lambda shop: Cell(figure(shop.requests_per_s))),
        ),
        *_rows(plan, "Workers", *((tier, _of_tier(at, _workers)) for at, tier in enumerate(plan.tiers))),
        *_rows(plan, "Response time", *((_label(path), _response(*path)) for path in _shown(plan))),
        *_rows(
            plan,
            "Edge traffic",
            ("Mbit/s, peak", lambda shop: Cell(figure(shop.traffic.peak_mbit_per_s))),
            ("GB an hour, peak", lambda shop: Cell(figure(shop.traffic.peak_gb_per_h))),
            ("GB an hour, mean", lambda shop: Cell(figure(shop.traffic.mean_gb_per_h))),
        ),
        *_database_rows(plan),
        *_rows(
            plan,
            "Limits",
            ("full at shoppers per hour", lambda shop: Cell(figure(shop.full_at_per_h), shop.sizing.tightest.tier)),
            ("generators to test it", lambda shop: _estimate(shop.generators, wording.count)),
        ),
        *_money_rows(plan),
    ]
    return Table(_CAPTION, tuple(rows))


def tiers(plan: Plan) -> Table:
    """Each tier at each size: workers, how many of them are busy, how long a visit waits, and what decided."""
    rows = [
        row
        for at, tier in enumerate(plan.tiers)
        for row in _rows(
            plan,
            tier,
            ("workers", _of_tier(at, _workers)),
            ("busy, mean", _of_tier(at, lambda size: _estimate(size.busy, figure))),
            ("busy, share", _of_tier(at, lambda size: Cell(wording.percent(size.station.utilisation_ratio)))),
            ("wait of a visit, mean", _of_tier(at, lambda size: Cell(wait(size.station.mean_wait_s)))),
            ("decided by", _of_tier(at, lambda size: Cell(decided_by(size)))),
        )
    ]
    return Table(_CAPTION, tuple(rows))


def demands(plan: Plan) -> list[tuple[str, str, str, str, str]]:
    """What was measured, a row a tier: CPU time a request, its interval, visits, workers in the run."""
    return [
        (
            demand.tier,
            milliseconds(demand.seconds),
            f"{milliseconds(demand.low_s)}–{milliseconds(demand.high_s)}",
            wording.percent(plan.measured.visits[demand.tier]),
            wording.count(plan.measured.workers.get(demand.tier)),
        )
        for demand in plan.measured.demands
    ]


def figure(value: float | None) -> str:
    """A figure of any size with three digits, and separators: 0.042, 3.71, 42.5, 1,240."""
    if value is None:
        return wording.NOTHING
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def money(value: float | None) -> str:
    """An amount: whole units from ten on, below that two places."""
    return wording.NOTHING if value is None else f"{value:,.0f}" if value >= 10 else f"{value:,.2f}"


def shoppers(value: float) -> str:
    """How many come in a second: 1 shopper, 2.5 shoppers."""
    text = figure(value)
    return f"{text} {'shopper' if text == '1' else 'shoppers'} per second"


def milliseconds(value_s: float) -> str:
    """Seconds as milliseconds with three digits: 0.042, 3.71."""
    return f"{value_s * 1000:.3g}"


def wait(value_s: float) -> str:
    """A mean wait with its unit, to the hundredth of a millisecond."""
    return wording.ms_unit(value_s * 1000) if value_s >= 1e-3 else f"{value_s * 1000:.2f}\u00a0ms"


def decided_by(size: TierSize) -> str:
    """What a tier's number of workers was decided by, as a cell has room for it."""
    return size.decided_by.removeprefix("response_time_ms.")


def interval(estimate: Estimate, text: Callable[[float | None], str]) -> str:
    """An interval as 9–12; nothing where there is none, or where both ends read as the figure does."""
    if estimate.low is None or estimate.high is None:
        return ""
    low, high = text(estimate.low), text(estimate.high)
    return "" if low == high == text(estimate.value) else f"{low}–{high}"


def _rows(plan: Plan, group: str, *lines: tuple[str, Callable[[SizedShop], Cell]]) -> Iterable[Row]:
    return [Row(label, tuple(map(of, plan.sizes)), group=group) for label, of in lines]


def _of_tier(at: int, of: Callable[[TierSize], Cell]) -> Callable[[SizedShop], Cell]:
    return lambda shop: of(shop.sizing.tiers[at])


def _workers(size: TierSize) -> Cell:
    return _estimate(size.workers, wording.count)


def _estimate(estimate: Estimate, text: Callable[[float | None], str]) -> Cell:
    return Cell(text(estimate.value), interval(estimate, text))


def _shown(plan: Plan) -> list[tuple[str, str]]:
    """Page kind and percentile of every response time that is shown."""
    return [(kind, name) for kind, row in plan.sizes[0].response_ms.items() for name in row]


def _label(path: tuple[str, str]) -> str:
    kind, name = path
    return f"{wording.PERCENTILES[name]}, {'all requests' if kind == 'all' else kind}"


def _response(kind: str, name: str) -> Callable[[SizedShop], Cell]:
    return lambda shop: Cell(wording.ms_unit(shop.response_ms[kind][name]))


def _database_rows(plan: Plan) -> Iterable[Row]:
    def of(text: Callable[[Database], Cell]) -> Callable[[SizedShop], Cell]:
        return lambda shop: text(shop.database) if shop.database else _NO_CELL

    if not any(shop.database for shop in plan.sizes):
        return []
    return _rows(
        plan,
        "Database",
        ("processors busy", of(lambda database: _estimate(database.busy, figure))),
        ("requests that need it, per second", of(lambda database: Cell(figure(database.requests_per_s)))),
        ("at once, mean", of(lambda database: Cell(figure(database.at_work)))),
        ("connections", of(lambda database: Cell(wording.count(database.connections)))),
    )


def _money_rows(plan: Plan) -> Iterable[Row]:
    if plan.wishes.prices is None:
        return []
    hour, month = "an hour, peak", "a month"
    return _rows(
        plan,
        f"Money, {plan.wishes.prices.currency}",
        (hour, lambda shop: _estimate(shop.cost.per_h, money) if shop.cost else _NO_CELL),
        (month, lambda shop: _estimate(shop.cost.per_month, money) if shop.cost else _NO_CELL),
    )


def objective_text(objective: Objective) -> str:
    """An objective as a sentence has it: p95 response time, all requests < 300 ms."""
    return f"{wording.objective_label(objective)} {wording.limit(objective)}"
