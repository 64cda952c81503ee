"""A plan as words: the answer in a sentence, and whether the objectives hold; computes no figure."""

from analysis.planning.planned import Plan, SizedShop
from reports import plan_rows, wording


def answer(plan: Plan) -> str:
    """The whole plan in one sentence: how many workers for which crowd, what is full first, what it costs."""
    first, last = plan.sizes[0], plan.sizes[-1]
    tightest = last.sizing.tightest.tier
    cost = _money(last, plan)
    if first is last:
        return (
            f"{_crowd(last)} it takes {_all_workers(last)}: {_by_tier(last)}{cost}; the tier {tightest} is full first."
        )
    low, high = (wording.count(shop.load.shoppers_per_h) for shop in (first, last))
    taken = f"{first.worker_count:,} to {_all_workers(last)}"
    return (
        f"From {low} to {high} shoppers per hour{_peak(last)} it takes {taken}{cost}; of the largest, the "
        f"tier {tightest} is full first."
    )


def objectives(plan: Plan) -> list[tuple[str, str, str]]:
    """Every objective that was looked at: its words, outcome, and what was found."""
    told = []
    for held in plan.rulings:
        if held.sentence:
            told.append((plan_rows.objective_text(held.objective), "fail" if held.broken else "unknown", held.sentence))
        else:
            _, kind, name = held.objective.path
            slowest = max(shop.response_ms[kind][name] or 0.0 for shop in plan.sizes)
            found = f"{wording.ms_unit(slowest)} at most"
            told.append((plan_rows.objective_text(held.objective), "pass", found))
    return told


def verdict(plan: Plan) -> str:
    """pass, or fail where an objective cannot be met by any number of workers."""
    return "fail" if plan.broken else "pass"


def _crowd(shop: SizedShop) -> str:
    load = shop.load
    orders = f" ({plan_rows.figure(load.orders_per_min)} orders a minute)" if load.orders_per_min > 0 else ""
    return f"For {wording.count(load.shoppers_per_h)} shoppers per hour{orders}{_peak(shop)}"


def _peak(shop: SizedShop) -> str:
    factor = shop.load.peak_factor
    return "" if factor == 1 else f", {factor:g} times as many at the peak,"


def _all_workers(shop: SizedShop) -> str:
    return f"{shop.worker_count:,} {'worker' if shop.worker_count == 1 else 'workers'}"


def _by_tier(shop: SizedShop) -> str:
    return ", ".join(f"{tier.count:,} of {tier.tier}" for tier in shop.sizing.tiers)


def _money(shop: SizedShop, plan: Plan) -> str:
    if shop.cost is None or plan.wishes.prices is None:
        return ""
    between = plan_rows.interval(shop.cost.per_month, plan_rows.money)
    told = f", {plan.wishes.prices.currency} {plan_rows.money(shop.cost.per_month.value)} a month"
    return f"{told} ({between})" if between else told
