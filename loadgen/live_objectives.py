"""Objectives while a run goes on: windows, phases, budgets and stop rules, fed with seconds as they are written.

Between the merger, which sums seconds up, and the watch, which tells and ends. What a worker hands in later than its
second is written is not looked at again here: the files have it, and analysis the last word.
"""

from collections.abc import Sequence

from loadgen.config import Scenario
from loadgen.error_budget import BudgetJudge, Burnt
from loadgen.objective_windows import Judge, PhaseJudge, Phases, WindowJudge
from loadgen.objectives import Decision, Objective, decide
from loadgen.out_of_reach import done_ratio, is_out_of_reach
from loadgen.records import Json
from loadgen.stop_rules import OUT_OF_REACH, Stop, StopJudge
from loadgen.tally import Tally

News = tuple[str, dict[str, Json]]  # kind and detail of an event


class LiveObjectives:
    """Everything about one run's objectives that needs single seconds; a run without such objectives keeps none.

    `planned` says whether the run has an end, without which no period of a budget is known.
    """

    def __init__(self, scenario: Scenario, *, planned: bool) -> None:
        load = scenario.load
        self._load, self._objectives, self._when = load, scenario.objectives, scenario.stop_when
        self._phases = Phases()
        start_s, end_s = int(load.warmup_s), load.duration_s
        self._judges: dict[Objective, Judge] = {}
        self._budgets: list[BudgetJudge] = []
        for objective in scenario.objectives:
            if objective.path[0] == "sessions":
                continue  # how sessions end is known long after the second in which they began
            if objective.scope.kind == "window":
                self._judges[objective] = WindowJudge(objective, start_s, end_s)
            elif objective.scope.kind == "phase":
                self._judges[objective] = PhaseJudge(objective, self._phases)
            elif objective.scope.kind == "budget" and planned:
                self._budgets.append(BudgetJudge(objective, start_s, end_s, end_s - load.warmup_s))
        self._rules = [StopJudge(rule) for rule in self._when.rules]
        conditions = [*self._judges, *(rule.rule.condition for rule in self._rules)]
        self._latencies = frozenset(condition.path[:2] for condition in conditions)
        self._seconds: dict[int, Tally] = {}
        self._seen_s = 0
        self._stop: Stop | None = None
        self._alerting: frozenset[tuple[str, float]] = frozenset()

    def tallies(self, second: int) -> Sequence[Tally]:
        """Where to sum up what happened in a second, if anybody will look at it."""
        if second < self._seen_s or not (self._judges or self._budgets or self._rules):
            return ()
        if second not in self._seconds:
            self._seconds[second] = Tally(self._latencies)
        return (self._seconds[second],)

    def begin_phase(self, name: str, at_s: float) -> None:
        """A phase begins `at_s` seconds after the run."""
        self._phases.begin(name, at_s)

    def advance(self, until_s: int) -> list[News]:
        """Look at the seconds up to `until_s`, all of which are whole; what is to be told of budgets."""
        news: list[News] = []
        for second in range(self._seen_s, until_s):
            self._see(second, self._seconds.pop(second, Tally()))
            news += self._news()
        self._seen_s = max(self._seen_s, until_s)
        return news

    def decision(self, objective: Objective) -> Decision | None:
        """What an objective came to so far; None for one that is held over the judged part as a whole."""
        if objective in self._judges:
            return self._judges[objective].decision()
        if objective.scope.kind in ("run", "budget"):
            return None
        return decide(objective, None)

    def stop(self, steady: Tally, *, steered: bool) -> Stop | None:
        """Why the run is to end now, if it is; `steady` are the sums of the judged part.

        While somebody steers the rate, nobody knows what is still to come: then no objective is found out of reach.
        """
        if self._stop is None and self._when.out_of_reach and not steered:
            done = done_ratio(self._load, self._seen_s)
            lost = next((one for one in self._objectives if self._is_lost(one, steady, done)), None)
            if lost is not None:
                after = f"The run was stopped early, after {self._seen_s} s"
                self._stop = Stop(OUT_OF_REACH, float(self._seen_s), None, f"{after}: {lost} cannot be met any more.")
        return self._stop

    def _is_lost(self, objective: Objective, steady: Tally, done: float) -> bool:
        judge = self._judges.get(objective)
        if isinstance(judge, WindowJudge):
            return judge.decision().outcome == "fail"
        if isinstance(judge, PhaseJudge):
            return judge.over().outcome == "fail"
        return objective.scope.kind in ("run", "budget") and is_out_of_reach(objective, steady, done)

    def _see(self, second: int, tally: Tally) -> None:
        for judge in (*self._judges.values(), *self._budgets):
            judge.see(second, tally)
        for rule in self._rules:
            found = rule.see(second, tally)
            self._stop = self._stop or found

    def _news(self) -> list[News]:
        """Alerts that began or ended with the last second."""
        on = {
            (str(judge.objective), burnt.rule.burn_rate): burnt for judge in self._budgets for burnt in judge.alerting
        }
        began = [
            _told("budget_alert", name, burnt)
            for (name, rate), burnt in on.items()
            if (name, rate) not in self._alerting
        ]
        ended: list[News] = [
            ("budget_alert_over", {"objective": name, "burn_rate": rate})
            for name, rate in sorted(self._alerting)
            if (name, rate) not in on
        ]
        self._alerting = frozenset(on)
        return began + ended


def _told(kind: str, name: str, burnt: Burnt) -> News:
    rule = burnt.rule
    return kind, {"objective": name, "burn_rate": rule.burn_rate, "long_s": rule.long_s, "short_s": rule.short_s}
