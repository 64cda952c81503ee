"""What a plan rests on and what it leaves out, in sentences; everything doubtful first."""

from collections.abc import Iterator, Sequence

from analysis.health import PLANNED_CPU_RATIO
from analysis.planning.measured import Measured
from analysis.planning.money import HOURS_PER_MONTH
from analysis.planning.planned import SizedShop
from analysis.planning.response import Ruling
from analysis.planning.visits import DATABASE
from analysis.planning.wishes import Wishes

_FAR = 10.0  # times the measured load: beyond that a plan asks for another look


def sentences(
    measured: Measured,
    wishes: Wishes,
    sizes: Sequence[SizedShop],
    rulings: Sequence[Ruling],
    left_out: Sequence[str],
) -> Iterator[str]:
    """All of them."""
    yield from (f"{held.sentence}." for held in rulings if held.sentence)
    yield from _about_the_run(measured, sizes)
    yield from _about_the_model(measured, wishes, rulings)
    if left_out:
        yield f"Not a matter of how many workers there are, and so not planned for: {'; '.join(left_out)}."
    if wishes.prices:
        yield from _about_money(wishes)


def _about_the_run(measured: Measured, sizes: Sequence[SizedShop]) -> Iterator[str]:
    times = sizes[-1].load.peak_sessions_per_s / measured.sessions_per_s
    if times > _FAR:
        yield (
            f"The largest size is {times:,.0f} times the load that was measured ({measured.sessions_per_s:.3g} "
            "sessions per second). Locks, hot rows and other things that grow faster than the load do not show in "
            "a small run: measure again nearer to that size, and compare the demands."
        )
    if measured.doubt:
        yield f"{measured.doubt} The plan needs their average in the run's own mixture only."
    if measured.faults:
        yield (
            f"Something was broken on purpose while it was measured ({', '.join(measured.faults)}); what that cost "
            "is in the figures. Record a run with --no-faults for a plan without it."
        )
    yield (
        f"Shoppers do what they did in the run: {measured.requests_per_session:.3g} requests, "
        f"{measured.orders_per_session:.2g} orders and {measured.bytes_per_session / 1e6:.3g} MB each, with caches as "
        "warm as they were. A larger crowd usually finds more in caches, not less."
    )


def _about_the_model(measured: Measured, wishes: Wishes, rulings: Sequence[Ruling]) -> Iterator[str]:
    peak = "at the mean rate all the time" if wishes.peak_factor == 1 else _peak(wishes.peak_factor)
    yield (
        f"Shoppers arrive independently of each other, {peak}; {wishes.headroom * 100:.3g} % of every tier is "
        "still free then."
    )
    yield (
        "A worker is one process on one processor like those that were measured. What a tier works grows in proportion "
        "to the requests, what it does unasked included, and whichever of its workers is free takes the next one (an "
        "M/M/c queue)."
    )
    if any(demand.tier == DATABASE for demand in measured.demands):
        yield (
            "The database's workers are processors. That one database machine has so many, or that the data can be "
            "spread over several, is not shown by this."
        )
    yield (
        "How many requests come by a tier is taken from the tiers' own logs; the database is asked when the shop is."
        if measured.paths_logged
        else "The run holds no logs of the tiers: every request is taken to come by all of them."
    )
    if any(held.allowance for held in rulings):
        yield (
            "Response times are those of the run, and the waiting at the tiers on top, independent of each other. The "
            "waiting in the run itself is counted as well, so that they are rather too long."
        )
    yield "What works at its own pace beside shoppers (the back office, purges) is not in it."
    yield "Traffic is what shoppers received of responses; handshakes and packet headers come on top."
    yield (
        f"Generators are processes that are busy for {PLANNED_CPU_RATIO * 100:.0f} % of their time at most, so that "
        "they are not what is measured."
    )


def _about_money(wishes: Wishes) -> Iterator[str]:
    yield (
        f"A month has {HOURS_PER_MONTH:.0f} hours. The workers of the peak are paid for in all of them, and so is the "
        "traffic of the mean load; an hour's money is that of the peak."
    )
    if wishes.prices and wishes.prices.unused:
        yield f"The price file also names {', '.join(wishes.prices.unused)}, which this run has no tier for."


def _peak(factor: float) -> str:
    return f"and at the peak {factor:g} times as many as on average over the hour"
