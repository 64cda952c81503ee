"""Section `truth`: response times beside queueing theory, as a table and a sentence."""

from collections.abc import Sequence

from lonjak.bench.section import Section, Settings
from lonjak.bench.truth import TOLERANCE_MS, TOLERANCE_RATIO, Row, measure
from lonjak.progress import Progress

_HEADINGS = ("freeze", "requests/s", "percentile", "by theory", "Lonjak", "difference", "right", "users in a loop")
_WORDS = {True: "yes", False: "no", None: "unknown"}


def truth(settings: Settings, progress: Progress) -> Section:
    """A server that freezes, measured by sessions that arrive and by users in a loop."""
    if not settings.disjoint:
        return Section("truth", skipped="the server needs a processor of its own, and this machine has only one")
    return section(measure(1.0, progress))


def section(rows: Sequence[Row]) -> Section:
    """The rows with open and closed model side by side."""
    closed = {_place(row): row for row in rows if row.model == "closed"}
    opened = [row for row in rows if row.model == "open"]
    lines = tuple(_line(row, closed.get(_place(row))) for row in opened)
    return Section("truth", _sentence(opened), _HEADINGS, lines, tuple(rows))


def _place(row: Row) -> tuple[float, float, float]:
    return row.freeze_s, row.rate_per_s, row.percent


def _line(row: Row, closed: Row | None) -> tuple[str, ...]:
    return (
        f"{row.freeze_s:g} s",
        f"{row.rate_per_s:,.0f}",
        f"p{row.percent:g}",
        f"{row.analytic_ms:,.1f} ms",
        f"{row.measured_ms:,.1f} ms",
        f"{row.difference_ms:+,.1f} ms",
        _WORDS[row.within],
        f"{closed.measured_ms:,.1f} ms" if closed else "",
    )


def _sentence(rows: Sequence[Row]) -> str:
    limit = f"{TOLERANCE_RATIO:.0%} or {TOLERANCE_MS:g} ms"
    wrong = [row for row in rows if row.within is False]
    if wrong:
        reason = next((f" ({row.doubt})" for row in wrong if row.doubt), "")
        return f"{len(wrong)} of {len(rows)} percentiles are off by more than {limit}{reason}."
    doubts = dict.fromkeys(row.doubt for row in rows if row.within is None)
    if doubts:
        return f"{'; '.join(doubts)}."
    return f"All {len(rows)} percentiles are within {limit} of queueing theory."
