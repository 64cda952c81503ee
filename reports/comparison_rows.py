"""The tables of a comparison as texts: a row a figure, a cell a profile; no arithmetic beyond formatting."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from analysis.bootstrap import NOTHING, Estimate
from analysis.compared import PERCENTS, ProfileFigures
from analysis.comparison import Comparison
from analysis.profile_safety import ProfileSafety
from analysis.steady_seconds import ALL, CATALOGUE
from reports import wording
from reports.charts.profiles import TIERS
from reports.comparison_wording import interval, listed, value

_KINDS = {CATALOGUE: "catalogue pages", ALL: "all requests"}
_WAYS = {
    "cart-leak": "with the shop's defect cart-leak",
    "poisoning": "poisoning",
    "deception": "deception",
}
_ANSWERS = {"leaks": "expected to leak", "safe": "expected to be safe"}
_CHECKS = {
    "visitor": "a page of somebody else's",
    "set-cookie": "a cookie from a cache",
    "deception": "a private page under a public name",
    "poisoning": "a page poisoned by a header",
    "method-override": "a page poisoned by another method",
    "oversized-header": "an error kept for everybody",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure, a smaller line below it, and a verdict where the figure is one."""

    text: str
    note: str = ""
    outcome: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of all profiles; rows of one `group` stand together below its name."""

    label: str
    cells: tuple[Cell, ...]
    strong: bool = False
    group: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows that belong together; `caption` names the unit."""

    caption: str
    rows: tuple[Row, ...]

    @property
    def groups(self) -> list[tuple[str, list[Row]]]:
        """Rows with the heading that they stand below, empty where there is none."""
        return [(heading, list(rows)) for heading, rows in groupby(self.rows, key=lambda row: row.group)]


Of = Callable[[ProfileFigures], Cell]


def overview(comparison: Comparison) -> Table:
    """The figures that decide, and those that a shop is run by."""
    return Table(
        "",
        tuple(
            _row(comparison, label, of)
            for label, of in (
                ("verdict", _verdict),
                ("alarms for leaks", lambda figures: _safety(figures.safety)),
                ("median of catalogue pages, ms", lambda figures: _cell(figures.response(CATALOGUE, "p50"), "ms")),
                ("p95 of catalogue pages, ms", lambda figures: _cell(figures.response(CATALOGUE, "p95"), "ms")),
                ("origin offload", lambda figures: _cell(figures.offload_ratio, "ratio")),
                ("origin requests per second", lambda figures: _cell(figures.origin_per_s, "number")),
                ("CPU per 1,000 requests, s", lambda figures: _cell(figures.cpu_total, "s")),
                ("failed requests", _failed),
                ("orders", lambda figures: Cell(_count(figures, figures.orders_count))),
            )
        ),
    )


def response_times(comparison: Comparison) -> Table:
    """p50, p95 and p99 by page kind, the catalogue's pages and all requests first."""
    kinds = wording.page_kinds({kind: 0 for figures in comparison.profiles for kind in figures.response_ms})
    groups = [ALL, CATALOGUE, *(kind for kind in kinds if kind not in _KINDS)]
    rows = [
        replace(
            _row(comparison, percentile, _response(group, percentile), strong=group in _KINDS),
            group=_KINDS.get(group, group),
        )
        for group in groups
        for percentile in PERCENTS
    ]
    return Table("Response time, ms", tuple(row for row in rows if _says_something(row)))


def caches(comparison: Comparison) -> Table:
    """What caches kept from the shop, how old it was, and what their expiries cost."""
    names = sorted({name for figures in comparison.profiles for name in figures.by_cache})
    rows = [
        _row(comparison, "hits among cacheable requests", lambda figures: _cell(figures.request_hit_ratio, "ratio")),
        _row(comparison, "hits among cacheable bytes", lambda figures: _cell(figures.byte_hit_ratio, "ratio")),
        *(_row(comparison, f"hits of {name}", _of_cache(name)) for name in names),
        _row(comparison, "age of what a cache gave, p50, s", lambda figures: _age(figures, "p50")),
        _row(comparison, "age of what a cache gave, p95, s", lambda figures: _age(figures, "p95")),
        _row(comparison, "changes seen late", _seen_late),
        _row(comparison, "seen late by, s", _late_by),
        _row(comparison, "fetches per expiry", _stampede),
        _row(comparison, "requests unaccounted for", _unaccounted),
    ]
    return Table("", tuple(row for row in rows if _says_something(row)))


def safety(comparison: Comparison) -> Table:
    """Alarms by check, each beside what was expected."""
    checks = sorted({check.check for figures in comparison.profiles for check in figures.safety.checks})
    return Table("Alarms", tuple(_row(comparison, _CHECKS.get(name, name), _check(name)) for name in checks))


def cpu(comparison: Comparison) -> Table:
    """Processor time by tier, the generator's left out."""
    found = {tier for figures in comparison.profiles for tier in figures.cpu_s_per_1000}
    tiers = [*(tier for tier in TIERS if tier in found), *sorted(found - set(TIERS))]
    rows = [_row(comparison, tier, _cpu_of(tier)) for tier in tiers]
    rows.append(_row(comparison, "all tiers", lambda figures: _cell(figures.cpu_total, "s"), strong=True))
    return Table("CPU per 1,000 requests, s", tuple(row for row in rows if _says_something(row)))


def _row(comparison: Comparison, label: str, of: Of, *, strong: bool = False) -> Row:
    return Row(label, tuple(of(figures) for figures in comparison.profiles), strong)


def _says_something(row: Row) -> bool:
    return any(cell.text != wording.NOTHING for cell in row.cells)


def _cell(estimate: Estimate, unit: str) -> Cell:
    return Cell(value(estimate, unit), interval(estimate, unit))


def _response(group: str, percentile: str) -> Of:
    return lambda figures: _cell(figures.response(group, percentile), "ms")


def _cpu_of(tier: str) -> Of:
    return lambda figures: _cell(figures.cpu_s_per_1000.get(tier, NOTHING), "s")


def _count(figures: ProfileFigures, number: int) -> str:
    return wording.count(number) if figures.parts else wording.NOTHING


def _verdict(figures: ProfileFigures) -> Cell:
    if figures.outcome is None:
        return Cell("could not run" if figures.tried else "not run", outcome="none")
    verdicts: list[str] = [part.verdict.verdict for part in figures.parts]
    note = f"{verdicts.count(figures.outcome)} of {len(verdicts)} runs" if len(verdicts) > 1 else ""
    words = {"pass": "pass", "fail": "fail", "unknown": "no verdict"}
    return Cell(words[figures.outcome], note, figures.outcome)


def _safety(found: ProfileSafety) -> Cell:
    if not found.checked_count:
        return Cell("not looked", outcome="none")
    return _alarms(found.alarm_count, found.checked_count)


def _alarms(alarm_count: int, checked_count: int) -> Cell:
    text = wording.count(alarm_count) if alarm_count else "none"
    return Cell(text, f"of {wording.count(checked_count)}", "fail" if alarm_count else "pass")


def _failed(figures: ProfileFigures) -> Cell:
    return Cell(value(figures.failed_ratio, "ratio"), _count(figures, figures.failed_count) if figures.parts else "")


def _of_cache(name: str) -> Of:
    def cell(figures: ProfileFigures) -> Cell:
        ratios = figures.by_cache.get(name)
        if ratios is None:
            return Cell(wording.NOTHING)
        in_bytes = f"{wording.percent(ratios.byte_hit_ratio)} in bytes" if ratios.byte_hit_ratio is not None else ""
        return Cell(wording.percent(ratios.request_hit_ratio), in_bytes)

    return cell


def _age(figures: ProfileFigures, percentile: str) -> Cell:
    return _cell(figures.age_ms.get(percentile, NOTHING), "ms as s")


def _seen_late(figures: ProfileFigures) -> Cell:
    stale = figures.staleness
    if stale is None:
        return Cell(wording.NOTHING)
    return Cell(wording.count(stale.stale_seen_count), f"of {wording.count(stale.changes_count)}")


def _late_by(figures: ProfileFigures) -> Cell:
    stale = figures.staleness
    if stale is None or stale.p50_s is None:
        return Cell(wording.NOTHING)
    return Cell(wording.decimal(stale.p50_s), f"at most {wording.decimal(stale.max_s)}")


def _stampede(figures: ProfileFigures) -> Cell:
    bursts = figures.stampede
    if bursts is None or bursts.factor is None:
        return Cell(wording.NOTHING)
    return Cell(f"{bursts.factor:.2f}", f"at most {wording.count(bursts.largest_burst_count)}")


def _unaccounted(figures: ProfileFigures) -> Cell:
    difference = figures.reconciliation_difference
    if not difference:
        return Cell(wording.count(difference))
    return Cell(wording.count(abs(difference)), "explained" if figures.reconciliation_explained else "not explained")


def _check(name: str) -> Of:
    def cell(figures: ProfileFigures) -> Cell:
        check = next((check for check in figures.safety.checks if check.check == name), None)
        if check is None:
            return Cell(wording.NOTHING)
        alarms = _alarms(check.alarm_count, check.checked_count)
        return replace(alarms, note=f"{alarms.note}, expected") if check.expected == "leaks" else alarms

    return cell


def expectations(comparison: Comparison) -> Sequence[tuple[str, str]]:
    """What was written down beforehand: of which profiles and ways to leak, and the answer with its reason."""
    told: dict[tuple[str, str], dict[str, list[str]]] = {}
    for figures in comparison.profiles:
        for way, expected in (figures.profile.safety or {}).items():
            of = told.setdefault((expected.answer, expected.because), {})
            of.setdefault(_WAYS.get(way, way), []).append(figures.profile.name)
    return [(_about(of), f"{_ANSWERS[answer]}: {because}") for (answer, because), of in told.items()]


def _about(of: Mapping[str, Sequence[str]]) -> str:
    """Profiles with the ways to leak that an expectation is about; those that share their ways stand together."""
    by_names: dict[str, list[str]] = {}
    for way, names in of.items():
        by_names.setdefault(listed(names), []).append(way)
    return "; ".join(f"{names}, {listed(ways)}" for names, ways in by_names.items())


def columns(comparison: Comparison) -> Iterable[str]:
    """The heads of the profiles' columns."""
    return [figures.profile.name for figures in comparison.profiles]
