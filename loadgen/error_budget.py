"""An error budget: the share of requests that may fail, how fast it is spent, and alerts on that speed.

Burn rate, budget and alerts are those of The Site Reliability Workbook (Beyer, Murphy, Rensin, Kawahara, Thorne,
O'Reilly 2018), chapter 5, Alerting on SLOs, its sixth way (multiwindow, multi-burn-rate alerts),
https://sre.google/workbook/alerting-on-slos/. The burn rate of a window is its share of failed requests divided by the
share that may fail: at 1 a budget lasts exactly its period. An alert is on while the burn rate is above its limit in a
long window, and in one of a twelfth of its length, so that it ends soon after its cause.

The workbook's period is 30 days, the period here is the judged part of a run, and its windows shrink with it. They are
no shorter than a second for the short one and twelve for the long one; an alert whose limit would spend the whole
budget within its long window comes too late to warn, and is left out.
"""

from collections import deque
from dataclasses import dataclass
from itertools import accumulate
from math import ceil

from loadgen.objectives import Decision, Objective, decide
from loadgen.records import Json
from loadgen.tally import Tally

SHORT_PER_LONG = 12
_PERIOD_H = 30 * 24
_WORKBOOK = ((14.4, 1), (6.0, 6), (1.0, 72))  # burn rate, hours of the long window in 30 days


@dataclass(frozen=True, slots=True)
class AlertRule:
    """On while both windows burn faster than `burn_rate`."""

    burn_rate: float
    long_s: int
    short_s: int


@dataclass(frozen=True, slots=True)
class Burnt:
    """What one rule saw: its highest burn rate (the lower one of both windows at an instant), and when it was on.

    `at_s` is the end of the windows of the highest one; `alerts_s` are the instants from which and up to which the
    alert was on, in seconds from the start of the run; the last one is open while it is None.
    """

    rule: AlertRule
    highest_burn_rate: float | None
    at_s: int | None
    alerts_s: tuple[tuple[int, int | None], ...]

    def as_json(self, period_s: float) -> dict[str, Json]:
        """The rule as it stands in summary.json; `budget_ratio` is what is spent when the alert comes at its limit."""
        return {
            "burn_rate": self.rule.burn_rate,
            "long_s": self.rule.long_s,
            "short_s": self.rule.short_s,
            "budget_ratio": self.rule.burn_rate * self.rule.long_s / period_s,
            "highest_burn_rate": self.highest_burn_rate,
            "at_s": self.at_s,
            "alerts_s": [list(alert) for alert in self.alerts_s],
        }


@dataclass(frozen=True, slots=True)
class Budget:
    """What became of a budget over `measured_s` judged seconds of `period_s` planned ones.

    `spent_ratio` is failed requests in shares of what might fail among all that were sent; over the whole it is the
    burn rate too. `spent_at_s` is the end of the second in which the last of it went, None where some is left.
    `lasts_s` is how long a budget of the same period lasts at this burn rate, None where nothing was spent.
    """

    decision: Decision
    period_s: float
    measured_s: int
    request_count: int
    failed_count: int
    spent_ratio: float | None
    spent_at_s: int | None
    windows: tuple[Burnt, ...]

    @property
    def lasts_s(self) -> float | None:
        """Seconds until a budget of this period is spent at the burn rate of the whole."""
        return self.period_s / self.spent_ratio if self.spent_ratio else None

    @property
    def sentence(self) -> str:
        """What was spent, and when it was gone or would be."""
        if self.spent_ratio is None:
            return "No request was judged, so nothing is known of the budget."
        told = f"{self.failed_count:,} of {self.request_count:,} requests failed: {self.spent_ratio:.4g} of the budget"
        if self.spent_at_s is not None:
            return f"{told}, all of which was gone after {self.spent_at_s} s."
        return f"{told}; at this rate it lasts {self.lasts_s:.4g} s." if self.lasts_s else f"{told}."

    def as_json(self) -> dict[str, Json]:
        """The budget as it stands in summary.json."""
        return {
            "objective": str(self.decision.objective),
            "outcome": self.decision.outcome,
            "period_s": self.period_s,
            "measured_s": self.measured_s,
            "request_count": self.request_count,
            "failed_count": self.failed_count,
            "spent_ratio": self.spent_ratio,
            "spent_at_s": self.spent_at_s,
            "lasts_s": self.lasts_s,
            "windows": [window.as_json(self.period_s) for window in self.windows],
            "sentence": self.sentence,
        }


def alert_rules(period_s: float) -> tuple[AlertRule, ...]:
    """The workbook's rules for a period of this length."""
    rules: list[AlertRule] = []
    for burn_rate, hours in _WORKBOOK:
        long_s = max(SHORT_PER_LONG, ceil(round(period_s * hours / _PERIOD_H, 6)))
        short_s = max(1, round(long_s / SHORT_PER_LONG))
        if burn_rate * long_s < period_s:
            rules.append(AlertRule(burn_rate, long_s, short_s))
    return tuple(rules)


class BudgetJudge:
    """Holds a budget over the judged part, seconds from `start_s` up to, not including, `end_s`.

    `period_s` is how long that part was planned to be.
    """

    def __init__(self, objective: Objective, start_s: int, end_s: float, period_s: float) -> None:
        self.objective = objective
        self._start_s, self._end_s, self._period_s = start_s, end_s, period_s
        self._kind = objective.path[1] if len(objective.path) > 1 else "all"
        self._sum = Tally()
        self._failed: list[int] = []
        self._meters = [_Meter(rule, objective.limit) for rule in alert_rules(period_s)]

    def see(self, second: int, tally: Tally) -> None:
        """Take in the next second; those outside the judged part are passed over."""
        if not self._start_s <= second <= self._end_s - 1:
            return
        self._sum.add(tally)
        failed, asked = tally.requests(self._kind)
        self._failed.append(failed)
        for meter in self._meters:
            meter.see(second, failed, asked)

    @property
    def alerting(self) -> tuple[Burnt, ...]:
        """The rules whose alert is on now."""
        return tuple(
            found for meter in self._meters if (found := meter.burnt).alerts_s and found.alerts_s[-1][1] is None
        )

    def decision(self) -> Decision:
        """Whether the budget sufficed, for the requests seen so far."""
        return decide(self.objective, self._sum.figures(1.0, []))

    def budget(self) -> Budget:
        """Everything about the budget."""
        failed, asked = self._sum.requests(self._kind)
        return Budget(
            decision=self.decision(),
            period_s=self._period_s,
            measured_s=len(self._failed),
            request_count=asked,
            failed_count=failed,
            spent_ratio=failed / asked / self.objective.limit if asked else None,
            spent_at_s=self._spent_at_s(asked) if asked else None,
            windows=tuple(meter.burnt for meter in self._meters),
        )

    def _spent_at_s(self, asked: int) -> int | None:
        """When so many had failed that the limit over all requests was lost."""
        failed_by_second = enumerate(accumulate(self._failed), self._start_s + 1)
        return next((second for second, failed in failed_by_second if not self.objective.holds(failed / asked)), None)


class _Meter:
    """The burn rates of one rule's windows, from the first second on that ends a whole long one."""

    def __init__(self, rule: AlertRule, limit: float) -> None:
        self._rule, self._limit = rule, limit
        self._long = _Sliding(rule.long_s)
        self._short = _Sliding(rule.short_s)
        self._highest: float | None = None
        self._at_s: int | None = None
        self._alerts: list[tuple[int, int | None]] = []

    def see(self, second: int, failed: int, asked: int) -> None:
        """One more second."""
        for window in (self._long, self._short):
            window.see(failed, asked)
        if not self._long.whole:
            return
        rate = min(self._long.failed_ratio, self._short.failed_ratio) / self._limit
        if self._highest is None or rate > self._highest:
            self._highest, self._at_s = rate, second + 1
        on = bool(self._alerts) and self._alerts[-1][1] is None
        if rate > self._rule.burn_rate and not on:
            self._alerts.append((second + 1, None))
        elif rate <= self._rule.burn_rate and on:
            self._alerts[-1] = (self._alerts[-1][0], second + 1)

    @property
    def burnt(self) -> Burnt:
        """What was seen so far."""
        return Burnt(self._rule, self._highest, self._at_s, tuple(self._alerts))


class _Sliding:
    """Failed requests and all of them in the last `length_s` seconds."""

    def __init__(self, length_s: int) -> None:
        self._inside: deque[tuple[int, int]] = deque()
        self._length_s = length_s
        self._failed = self._asked = 0

    def see(self, failed: int, asked: int) -> None:
        self._inside.append((failed, asked))
        self._failed, self._asked = self._failed + failed, self._asked + asked
        if len(self._inside) > self._length_s:
            gone_failed, gone = self._inside.popleft()
            self._failed, self._asked = self._failed - gone_failed, self._asked - gone

    @property
    def whole(self) -> bool:
        return len(self._inside) == self._length_s

    @property
    def failed_ratio(self) -> float:
        return self._failed / self._asked if self._asked else 0.0
