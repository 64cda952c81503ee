"""Whether anybody was given what was another's, or what another had planted: the checks of a run and its leaks; pure.

Every leak is a fail, however good the figures are: one shopper's cart in another's browser is no matter of ratios.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from analysis.invariants.finding import counted
from analysis.recording import Recording
from loadgen.objectives import Figures
from loadgen.records import SAFETY_CHECKS, Event, Json

VISITOR = "visitor"
_FOUND: Mapping[str, str] = {
    VISITOR: "A personal page was given to somebody else",
    "set-cookie": "A cache gave out an answer that sets a cookie",
    "deception": "A cache kept a personal page under an address that looks public",
    "poisoning": "A cache kept a page that a visitor's own headers had changed",
    "method-override": "A cache kept the answer to a request of another method",
    "oversized-header": "A cache kept an error that a visitor's own header had caused",
}
_MOST_LEAKS = 100


@dataclass(frozen=True, slots=True)
class Check:
    """How often something was looked for, and how often it was found."""

    name: str
    checked_count: int
    alarm_count: int


@dataclass(frozen=True, slots=True)
class Leak:
    """One finding: which page, what the caches said of it, under which key it is kept, and what was seen."""

    at_s: float
    check: str
    url: str
    page_kind: str
    cache_status: str
    cache_control: str
    key: str
    told: str


@dataclass(frozen=True, slots=True)
class Safety:
    """Every check that was made, in the order in which they are told, and the first findings; none: nobody looked."""

    checks: tuple[Check, ...] = ()
    leaks: tuple[Leak, ...] = ()

    @property
    def alarm_count(self) -> int | None:
        """How often anything was found; None when nobody looked."""
        return sum(check.alarm_count for check in self.checks) if self.checks else None

    @property
    def searched_count(self) -> int:
        """How many pages were searched for what identifies a visitor."""
        return sum(check.checked_count for check in self.checks if check.name == VISITOR)

    @property
    def figures(self) -> dict[str, Figures]:
        """What objectives may name."""
        return {"alarm_count": self.alarm_count}

    def violated(self, check: Check) -> str:
        """What a check found, in one sentence; empty when it found nothing."""
        if not check.alarm_count:
            return ""
        found = _FOUND.get(check.name, f"The check {check.name} raised an alarm")
        first = next((leak for leak in self.leaks if leak.check == check.name), None)
        where = f", first {first.url}" if first else ""
        return f"{found}: {check.alarm_count:,} of {counted(check.checked_count, 'check')}{where}."

    @property
    def violations(self) -> tuple[str, ...]:
        """A sentence for each check that found something."""
        return tuple(sentence for check in self.checks if (sentence := self.violated(check)))

    def as_json(self) -> dict[str, Json]:
        """The checks as they stand in summary.json."""
        return {
            "alarm_count": self.alarm_count,
            "checks": {
                check.name: {"checked_count": check.checked_count, "alarm_count": check.alarm_count}
                for check in self.checks
            },
            "leaks": [{name: getattr(leak, name) for name in leak.__slots__} for leak in self.leaks],
        }


def safety(recording: Recording) -> Safety:
    """What was checked. A leak counts even where a killed run did not write the counts of its second."""
    leaks = tuple(_leak(recording, event) for event in recording.events_of("leak"))
    sums = recording.safety.groupby("check")[["checked_count", "alarm_count"]].sum()
    names = [name for name in SAFETY_CHECKS if name in sums.index or any(leak.check == name for leak in leaks)]
    names += sorted({*map(str, sums.index), *(leak.check for leak in leaks)} - set(names))
    checks: list[Check] = []
    for name in names:
        checked, alarms = map(int, sums.loc[name]) if name in sums.index else (0, 0)
        alarms = max(alarms, sum(leak.check == name for leak in leaks))
        checks.append(Check(name, max(checked, alarms), alarms))
    return Safety(tuple(checks), leaks[:_MOST_LEAKS])


def _leak(recording: Recording, event: Event) -> Leak:
    detail = {name: str(event.detail.get(name) or "") for name in Leak.__slots__ if name != "at_s"}
    return Leak(recording.elapsed_s(event.at), **detail)
