"""Numbers and findings as words: every document's formatting, and the answer in one sentence; computes no figure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from analysis.audit import Audit
from analysis.invariants.finding import Finding, counted
from analysis.recovery import Recovery
from analysis.run import Analysis
from analysis.safety import Safety
from loadgen.objectives import Decision, Objective, samples_needed
from loadgen.records import PAGE_KINDS, Json

NOTHING = "–"
_SPACE = "\u00a0"  # between a number and its unit, where no line may break
PERCENTILES = {"p50": "p50", "p90": "p90", "p95": "p95", "p99": "p99", "p999": "p99.9", "max": "max"}
FAILURES = {
    "refused": "refused by the safety gate",
    "connect": "no connection",
    "tls": "TLS handshake",
    "timeout": "timed out",
    "protocol": "broken HTTP",
    "http_4xx": "HTTP 4xx",
    "http_5xx": "HTTP 5xx",
    "content": "wrong content",
    "other": "other",
}
# What must hold, in the words of somebody who has a shop.
INVARIANTS = {
    "acknowledged_orders": "Every order that a shopper was told of is paid, and no other is",
    "one_charge_per_key": "Nobody was charged twice",
    "paid_iff_order": "Every charge has its order, and every order its charge",
    "order_totals": "Every order cost what its shopper agreed to",
    "own_orders": "Everybody got what was in their own cart",
    "order_states": "No order took a step that its state did not allow",
    "no_oversell": "No product was sold more often than it was there",
    "stock_balance": "Every unit of stock is accounted for",
    "coupons": "No coupon or gift card was spent twice",
    "customer_limits": "Nobody got more of a flash sale than each may have",
    "reservations": "What was held for a shopper went back when its time was up",
    "shown_stock": "The catalogue showed what was there",
}
_WORST_FIRST = ("fail", "unknown", "pass", "none")
_CAUSES: Mapping[str | None, str] = {
    "target_refused": "the target was refused",
    "interrupted": "the run was interrupted",
    "incomplete": "the record of the run is incomplete",
    "contradictory": "the files of the run contradict each other",
    "generator": "the generator itself may have been the bottleneck",
    "audit": "its orders could not be audited",
    "samples": "too little was measured",
}
_MEASURES = {
    "response_time_ms": "response time",
    "service_time_ms": "service time",
    "failed_ratio": "failed requests",
    "goodput_per_s": "requests answered well per second",
}
_PLAIN = {
    "requests.per_s": "requests per second",
    "sessions.abandoned_ratio": "abandoned sessions",
    "sessions.dropped_count": "dropped sessions",
    "orders.per_h": "orders per hour",
    "orders.per_min": "orders per minute",
    "orders.acknowledged_count": "orders acknowledged",
    "cache.request_hit_ratio": "cache hit ratio",
    "cache.byte_hit_ratio": "cache hit ratio in bytes",
    "cache.origin_offload_ratio": "answered by caches",
    "cache.origin.offload_ratio": "origin offload, by the shop's own log",
    "safety.alarm_count": "leaks",
    "audit.violation_count": "violations found by the audit",
}


def count(value: float | None) -> str:
    """A whole number with separators: 11,649."""
    return NOTHING if value is None else f"{value:,.0f}"


def decimal(value: float | None) -> str:
    """Three digits at least, no more than one place: 1,560, 98, 3.7."""
    if value is None:
        return NOTHING
    text = f"{value:,.1f}" if abs(value) < 100 else f"{value:,.0f}"
    return text.removesuffix(".0")


def ms(value: float | None) -> str:
    """Milliseconds for a column whose head names the unit: one place below 10 ms."""
    return NOTHING if value is None else f"{value:,.1f}" if value < 10 else f"{value:,.0f}"


def cpu_ms(value_s: float | None) -> str:
    """Seconds of processor time as milliseconds, for a column whose head names the unit."""
    return NOTHING if value_s is None else f"{value_s * 1000:,.2f}" if value_s < 0.01 else ms(value_s * 1000)


def ms_unit(value: float | None) -> str:
    """Milliseconds with their unit: 98 ms; seconds from 10 s on."""
    if value is None:
        return NOTHING
    return f"{ms(value)}{_SPACE}ms" if value < 10_000 else f"{value / 1000:,.1f}{_SPACE}s"


def seconds(value_ms: float | None) -> str:
    """Milliseconds as seconds with their unit: 4 s, 0.1 s."""
    return NOTHING if value_ms is None else f"{decimal(value_ms / 1000)}{_SPACE}s"


def percent(value: float | None) -> str:
    """A ratio as a percentage; small ones keep two places, so that 0.45 % is not 0 %."""
    if value is None:
        return NOTHING
    share = value * 100
    text = f"{share:.2f}" if 0 < share < 1 else f"{share:.1f}"
    return f"{text.removesuffix('.0')}{_SPACE}%"


def bar(value: float | None) -> str:
    """A ratio as the length of a bar in CSS."""
    return f"{100 * (value or 0.0):.2f}%"


def mebibytes(value: float | None) -> str:
    """Memory in MiB."""
    return NOTHING if value is None else f"{value / 2**20:,.0f} MiB"


def rupiah(value: float | None) -> str:
    """Money, shortened to millions where that says as much."""
    if value is None:
        return NOTHING
    return f"Rp {value / 1e6:,.1f} million" if value >= 10_000_000 else f"Rp {value:,.0f}"


def checked(finding: Finding) -> str:
    """How much an invariant was held against: 15 orders."""
    return NOTHING if finding.checked_count is None else counted(finding.checked_count, finding.noun)


def worst_first(findings: Sequence[Finding]) -> list[Finding]:
    """Broken invariants, then open ones, then those that held, then those that were not checked."""
    return sorted(findings, key=lambda finding: _WORST_FIRST.index(finding.outcome))


def clock(seconds: float) -> str:
    """An instant of the run, as on the charts' axis: 0:44."""
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02}"


def utc(at: float) -> str:
    """An instant in UTC, to the second."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def number(document: Json, *path: str) -> float | None:
    """The number at a path of summary.json, None where there is none."""
    for part in path:
        document = document.get(part) if isinstance(document, Mapping) else None
    return document if isinstance(document, int | float) and not isinstance(document, bool) else None


def page_kinds(kinds: Mapping[str, object]) -> list[str]:
    """Page kinds in the order of a visit, unknown ones after them by name; without `all`."""
    known = [kind for kind in PAGE_KINDS if kind in kinds]
    return known + sorted(set(kinds) - set(known) - {"all"})


def percentile(row: Mapping[str, float], name: str) -> float | None:
    """A percentile of a latency row, None where too few samples lie behind it to mean anything."""
    return row[name] if name == "max" or row["count"] >= samples_needed(name) else None


def objective_label(objective: Objective) -> str:
    """An objective's figure in words: `p95 response time, checkout`, and where it is held if not over the run."""
    return ", ".join(filter(None, (_figure_label(objective), str(objective.scope))))


def _figure_label(objective: Objective) -> str:
    path = objective.path
    if objective.name in _PLAIN:
        return _PLAIN[objective.name]
    if path[:2] == ("cache", "by_cache"):
        pages = "all pages" if path[3] == "all" else path[3]
        return f"hit ratio{' in bytes' * (path[4] == 'byte_hit_ratio')} of {path[2]}, {pages}"
    measure = _MEASURES.get(path[0], objective.name)
    kind = path[1] if len(path) > 1 else "all"
    told = f"{PERCENTILES[path[2]]} {measure}" if len(path) > 2 else measure
    return f"{told}, {'all requests' if kind == 'all' else kind}"


def objective_value(objective: Objective, value: float | None) -> str:
    """A value in the unit of its objective."""
    if objective.path[0].endswith("_ms"):
        return ms_unit(value)
    if objective.path[-1].endswith("_ratio") or objective.path[0].endswith("_ratio"):
        return percent(value)
    return decimal(value)


def limit(objective: Objective) -> str:
    """The limit with its comparator: `< 500 ms`."""
    return f"{objective.comparator} {objective_value(objective, objective.limit)}"


def answer(analysis: Analysis) -> str:
    """The whole report in one sentence: at which load, what broke, how it recovered."""
    load, verdict = _load(analysis), analysis.verdict
    if verdict.verdict == "unknown":
        return f"{load}, there is no verdict: {_CAUSES[verdict.cause]}."
    parts = [
        *(
            [f"made the run stop early, at {clock(verdict.stopped.after_s)} ({verdict.stopped.rule})"]
            if verdict.stopped
            else []
        ),
        _objectives(verdict.decisions),
        *(_fault(fault) for fault in analysis.recoveries),
        *_audit(analysis.audit),
        *_safety(analysis.safety),
    ]
    return f"{load}, the shop {_listed(parts)}."


def _load(analysis: Analysis) -> str:
    plan = analysis.manifest.plan
    if plan.users:
        return f"With {plan.users:,} {'user' if plan.users == 1 else 'users'} in a loop"
    if plan.rate_per_s > 0:
        rate, most = decimal(plan.rate_per_s), "on average" if plan.arrivals == "trace" else "up to"
        return f"With {most} {rate} {'shopper' if rate == '1' else 'shoppers'} arriving per second"
    return f"At {decimal(number(analysis.summary, 'requests', 'per_s'))} requests per second"


def _objectives(decisions: Sequence[Decision]) -> str:
    failed = [decision for decision in decisions if decision.outcome == "fail"]
    if not decisions:
        return "had no objective to meet"
    if not failed:
        return "met its one objective" if len(decisions) == 1 else f"met all {len(decisions)} objectives"
    worst = failed[0]
    value = objective_value(worst.objective, worst.value)
    told = f"{objective_label(worst.objective)}: {value}, not {limit(worst.objective)}"
    return f"missed {len(failed)} of {len(decisions)} objectives ({told})"


def _fault(fault: Recovery) -> str:
    told = f"the fault at {clock(fault.at_s)} ({fault.fault})"
    if fault.disturbed is None:
        return f"took {told}, whose effect could not be dated"
    if not fault.disturbed:
        return f"took {told} without breaking an objective"
    if fault.recovered_s is None:
        return f"did not recover from {told}"
    return f"recovered from {told} in {decimal(fault.recovered_s)} s"


def _audit(audit: Audit) -> list[str]:
    if audit.outcome == "fail" and audit.missing_count:
        return [f"lost {counted(audit.missing_count, 'acknowledged order')}"]
    if audit.outcome == "fail":
        first = next(finding for finding in audit.findings if finding.violations)
        return [f"failed the audit ({first.violations[0].told})"]
    return ["lost no acknowledged order"] if audit.outcome == "pass" and audit.acknowledged_count else []


def _safety(safety: Safety) -> list[str]:
    return [f"let {counted(safety.alarm_count, 'leak')} through its caches"] if safety.alarm_count else []


def _listed(parts: Sequence[str]) -> str:
    if len(parts) < 3:
        return " and ".join(parts)
    return f"{', '.join(parts[:-1])}, and {parts[-1]}"
