"""When a run is not worth going on with: the rules of `[stop_when]`, read and decided here.

A rule is a figure, a limit that is not to be reached and a stretch of time: `failed_ratio = "> 0.5 for 15s"`. It holds
over the last 15 seconds together and, so that nothing is stopped that has just recovered, over the last third of them.
`objective_out_of_reach = true` ends a run whose objectives cannot all be met any more (out_of_reach.py).
"""

import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from loadgen.objective_scopes import Scope
from loadgen.objectives import Decision, Objective, decide, leaves, parse_condition
from loadgen.records import Json
from loadgen.tally import Tally
from loadgen.units import format_duration, parse_duration

OUT_OF_REACH = "objective_out_of_reach"
LONGEST_S = 3600
_RULE = re.compile(r"(.*?)\s+for\s+(\S+)\s*")
_EXAMPLE = '"> 0.5 for 15s"'


@dataclass(frozen=True, slots=True)
class StopRule:
    """Stop when the figure keeps the condition's limit for so many whole seconds."""

    condition: Objective
    for_s: int

    def __str__(self) -> str:
        return f"{self.condition} for {format_duration(self.for_s)}"


@dataclass(frozen=True, slots=True)
class StopWhen:
    """What ends a run before its time."""

    rules: tuple[StopRule, ...] = ()
    out_of_reach: bool = False

    def __bool__(self) -> bool:
        return bool(self.rules) or self.out_of_reach


NEVER = StopWhen()


@dataclass(frozen=True, slots=True)
class Stop:
    """A run was ended early: by which rule, when, and why in a sentence."""

    rule: str
    after_s: float
    value: float | None
    sentence: str

    def as_json(self) -> dict[str, Json]:
        """The end as it stands in events.jsonl and verdict.json."""
        return {"rule": self.rule, "after_s": self.after_s, "value": self.value, "sentence": self.sentence}


def parse_stop_when(table: Mapping[str, object]) -> tuple[StopWhen, list[str]]:
    """The rules of a `[stop_when]` table, and a sentence for everything that is wrong with it."""
    rules: list[StopRule] = []
    problems: list[str] = []
    out_of_reach = table.get(OUT_OF_REACH, False)
    if not isinstance(out_of_reach, bool):
        problems.append(f"[stop_when] {OUT_OF_REACH} is {out_of_reach!r:.80}, but must be true or false")
    for path, text in leaves({key: value for key, value in table.items() if key != OUT_OF_REACH}):
        found = _rule(path, text)
        if isinstance(found, str):
            problems.append(f"[stop_when] {found}")
        else:
            rules.append(found)
    return StopWhen(tuple(rules), out_of_reach is True), problems


def _rule(path: tuple[str, ...], text: object) -> StopRule | str:
    """A rule, or a sentence that says what is wrong with it."""
    name = ".".join(path)
    parts = _RULE.fullmatch(text) if isinstance(text, str) else None
    if parts is None:
        return f"{name}: {text!r:.80} is not a rule; write {_EXAMPLE}"
    try:
        seconds = parse_duration(parts[2])
    except ValueError:
        seconds = 0.0
    if not (seconds.is_integer() and 1 <= seconds <= LONGEST_S):
        return f"{name}: {parts[2]!r:.80} is not a time; write whole seconds from 1s to {format_duration(LONGEST_S)}"
    condition = parse_condition(path, parts[1], _EXAMPLE)
    if isinstance(condition, str):
        return condition
    if why := Scope("window", window_s=int(seconds)).why_not(path, condition.comparator, condition.limit):
        return f"{name}: {why.partition(':')[0]}, so no rule can watch it: take another figure"
    if path[0] == "sessions":
        return f"{name}: how a session ends is known long after it began, so no rule can watch it: take another figure"
    return StopRule(condition, int(seconds))


class StopJudge:
    """Watches for one rule, second by second."""

    def __init__(self, rule: StopRule) -> None:
        self.rule = rule
        self._whole = _Last(rule.for_s)
        self._recent = _Last(max(1, rule.for_s // 3))

    def see(self, second: int, tally: Tally) -> Stop | None:
        """Take in the next second; the end of the run when the rule holds in those up to it."""
        self._whole.see(tally)
        self._recent.see(tally)
        whole, recent = self._whole.decide(self.rule.condition), self._recent.decide(self.rule.condition)
        if whole is None or recent is None or whole.outcome != "pass" or recent.outcome != "pass":
            return None
        over = f"over {self.rule.for_s} s, {self.rule.condition.asked}"
        told = (
            f"The run was stopped early, after {second + 1} s: {self.rule.condition.name} was {whole.value:.4g} {over}"
        )
        return Stop(str(self.rule), second + 1.0, whole.value, f"{told}.")


class _Last:
    """The sums of the last seconds, once there are enough of them."""

    def __init__(self, length_s: int) -> None:
        self._length_s = length_s
        self._inside: deque[Tally] = deque()
        self._sum = Tally()

    def see(self, tally: Tally) -> None:
        self._inside.append(tally)
        self._sum.add(tally)
        if len(self._inside) > self._length_s:
            self._sum.remove(self._inside.popleft())

    def decide(self, condition: Objective) -> Decision | None:
        if len(self._inside) < self._length_s:
            return None
        return decide(condition, self._sum.figures(self._length_s, [condition.path]))
