"""Section `product-page`: how many product pages a second one worker draws, and how fast they come at half of that.

The worker has a processor for itself and everything of the shop's switched on; pages are asked for past the edge, so
that no cache answers in its place, by popularity over a catalogue of 200,000 products.
"""

from dataclasses import dataclass
from statistics import median

from lonjak.bench.figures import Spread
from lonjak.bench.section import Section, Settings
from lonjak.bench.shop_program import ask_program
from lonjak.bench.shop_reader import Read, Reading
from lonjak.bench.shop_stack import PinnedShop, pinned_shop
from lonjak.progress import Progress
from reference_shop.stack.settings import StackSettings

PRODUCTS = 200_000
_CLOSED_CONNECTIONS = 8  # enough to keep one worker busy while the others' answers are under way
_OPEN_CONNECTIONS = 64
_WARMUP_S = 1.0
_PROGRAM = "lonjak.bench.shop_reader"
_HEADINGS = (
    "pages/s",
    "min–max",
    "per CPU s",
    "CPU ms/page",
    "at half: pages/s",
    "p50",
    "p99",
    "min–max",
    "p99.9",
    "failed",
)


@dataclass(frozen=True, slots=True)
class PageRate:
    """All rounds: each a closed loop, then an open one at half of its rate. Times in milliseconds."""

    product_count: int
    closed: tuple[Read, ...]
    half: tuple[Read, ...]
    per_s: Spread
    worker_cpu_ms: float
    half_per_s: float
    half_p50_ms: float
    half_p99_ms: Spread
    half_p999_ms: float
    failed_count: int


def product_page(settings: Settings, progress: Progress) -> Section:
    """Product pages of one worker."""
    count = settings.share_of(PRODUCTS)
    closed: list[Read] = []
    half: list[Read] = []
    with pinned_shop(StackSettings(products=count), settings, progress, "product-page") as shop:
        for number in range(1, settings.rounds + 1):
            progress.start(f"product-page, round {number} of {settings.rounds}")
            closed.append(_read(shop, count, number, settings, 0.0))
            half.append(_read(shop, count, number, settings, closed[-1].per_s / 2))
    found = page_rate(count, closed, half)
    sentence = (
        f"A catalogue of {count:,} products, one worker alone on a processor, asked past the edge; database and client "
        "share the other. At half of the rate requests are due by a Poisson schedule, and times count from then."
    )
    return Section("product-page", sentence, _HEADINGS, (_line(found),), (found,))


def page_rate(product_count: int, closed: list[Read], half: list[Read]) -> PageRate:
    """The figures of all rounds."""
    return PageRate(
        product_count,
        tuple(closed),
        tuple(half),
        Spread.of([read.per_s for read in closed]),
        median(read.worker_cpu_ms for read in closed),
        median(read.per_s for read in half),
        median(read.p50_ms for read in half),
        Spread.of([read.p99_ms for read in half]),
        median(read.p999_ms for read in half),
        sum(read.failed_count for read in (*closed, *half)),
    )


def _read(shop: PinnedShop, product_count: int, number: int, settings: Settings, rate_per_s: float) -> Read:
    reading = Reading(
        port=shop.port,
        product_count=product_count,
        connections=_OPEN_CONNECTIONS if rate_per_s else _CLOSED_CONNECTIONS,
        rate_per_s=rate_per_s,
        warmup_s=_WARMUP_S,
        seconds=_WARMUP_S + settings.duration_s,
        seed=number,
        worker_pid=shop.worker_pid,
    )
    return Read(**ask_program(_PROGRAM, reading, reading.seconds, settings))


def _line(found: PageRate) -> tuple[str, ...]:
    return (
        f"{found.per_s.median:,.0f}",
        f"{found.per_s.low:,.0f}–{found.per_s.high:,.0f}",
        f"{1000 / max(found.worker_cpu_ms, 0.01):,.0f}",
        f"{found.worker_cpu_ms:.2f}",
        f"{found.half_per_s:,.0f}",
        f"{found.half_p50_ms:.1f} ms",
        f"{found.half_p99_ms.median:.1f} ms",
        f"{found.half_p99_ms.low:.1f}–{found.half_p99_ms.high:.1f}",
        f"{found.half_p999_ms:.1f} ms",
        f"{found.failed_count:,}",
    )
