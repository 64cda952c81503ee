"""Section `order-cost`: what an order costs a shop with a long history, beside one with hardly any.

Two shops that differ in nothing else are bought from in turn.
"""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from statistics import median

from lonjak.bench.figures import Spread, paired_ratio
from lonjak.bench.section import Section, Settings
from lonjak.bench.shop_buyer import Bought, Buying
from lonjak.bench.shop_program import ask_program
from lonjak.bench.shop_stack import PinnedShop, pinned_shop
from lonjak.progress import Progress
from reference_shop.stack.settings import StackSettings

PAST_ORDERS = 1_000_000
PRODUCTS = 20_000
_FEWER = 1000  # times fewer past orders has the other shop
_SHOPPERS = 4
_WARMUP_S = 2.0
_PAYMENT_MS = 1  # constant: the shop's work is measured and not the provider's patience
_PROGRAM = "lonjak.bench.shop_buyer"
_HEADINGS = (
    "past orders", "CPU ms/order", "min–max", "worker", "database", "wall ms/order", "÷ few: CPU", "wall", "orders",
    "failed",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class OrderCost:
    """One shop over all rounds; the ratios say how many times as much as in the shop with few past orders."""

    past_order_count: int
    rounds: tuple[Bought, ...]
    cpu_ms: Spread
    worker_cpu_ms: float
    database_cpu_ms: float
    wall_ms: float
    cpu_ratio: float
    wall_ratio: float


def order_cost(settings: Settings, progress: Progress) -> Section:
    """Processor and wall time of an order after few and after many others."""
    many_count = settings.share_of(PAST_ORDERS)
    few_count = max(1, many_count // _FEWER)
    few: list[Bought] = []
    many: list[Bought] = []
    with (
        _shop(few_count, settings, progress) as small,
        _shop(many_count, settings, progress) as large,
    ):
        for number in range(1, settings.rounds + 1):
            progress.start(f"order-cost, round {number} of {settings.rounds}")
            few.append(_buy(small, number, settings))
            many.append(_buy(large, number, settings))
    found = order_costs({few_count: few, many_count: many})
    sentence = (
        "Orders through the shop's own pages, from an empty cart to the confirmation: "
        f"{_SHOPPERS} shoppers without pause, {settings.share_of(PRODUCTS):,} products, payments of {_PAYMENT_MS} ms. "
        "CPU is the worker's and the database's."
    )
    return Section("order-cost", sentence, _HEADINGS, tuple(map(_line, found)), found)


def order_costs(bought: dict[int, list[Bought]]) -> tuple[OrderCost, ...]:
    """The figures by number of past orders; what is compared with comes first."""
    first = next(iter(bought.values()))

    def cost(past_order_count: int, rounds: list[Bought]) -> OrderCost:
        return OrderCost(
            past_order_count,
            tuple(rounds),
            Spread.of([each.cpu_ms_per_order for each in rounds]),
            median(each.worker_cpu_s * 1000 / max(1, each.order_count) for each in rounds),
            median(each.database_cpu_s * 1000 / max(1, each.order_count) for each in rounds),
            median(each.wall_ms for each in rounds),
            paired_ratio([each.cpu_ms_per_order for each in rounds], [each.cpu_ms_per_order for each in first]),
            paired_ratio([each.wall_ms for each in rounds], [each.wall_ms for each in first]),
        )

    return tuple(cost(count, rounds) for count, rounds in bought.items())


def _shop(past_orders: int, settings: Settings, progress: Progress) -> AbstractContextManager[PinnedShop]:
    wanted = StackSettings(
        products=settings.share_of(PRODUCTS),
        past_orders=past_orders,
        changes_per_s=0,  # the other shop's back office would use the same processor
        payment_latency_ms=_PAYMENT_MS,
    )
    return pinned_shop(wanted, settings, progress, f"order-cost, {past_orders:,} past orders")


def _buy(shop: PinnedShop, number: int, settings: Settings) -> Bought:
    buying = Buying(
        port=shop.port,
        product_count=settings.share_of(PRODUCTS),
        shoppers=_SHOPPERS,
        warmup_s=_WARMUP_S,
        seconds=_WARMUP_S + settings.duration_s,
        seed=number,
        worker_pid=shop.worker_pid,
        database_pid=shop.database_pid,
    )
    return Bought(**ask_program(_PROGRAM, buying, buying.seconds, settings))


def _line(found: OrderCost) -> tuple[str, ...]:
    return (
        f"{found.past_order_count:,}",
        f"{found.cpu_ms.median:.2f}",
        f"{found.cpu_ms.low:.2f}–{found.cpu_ms.high:.2f}",
        f"{found.worker_cpu_ms:.2f}",
        f"{found.database_cpu_ms:.2f}",
        f"{found.wall_ms:.1f}",
        f"{found.cpu_ratio:.2f}",
        f"{found.wall_ratio:.2f}",
        f"{sum(each.order_count for each in found.rounds):,}",
        f"{sum(each.failed_count for each in found.rounds):,}",
    )
