"""Whether an edge profile showed somebody what was another's, beside what was written down of it beforehand; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from analysis.summary_paths import found, number
from loadgen.edge_comparison import ComparedProfile
from loadgen.records import Json

# Which written-down expectation a check of safety.csv is about. What ordinary pages show is about none: "cart-leak" is
# of a shop with that defect planted, and without it nobody may ever be shown what is another's.
EXPECTATION_OF = {
    "deception": "deception",
    "poisoning": "poisoning",
    "method-override": "poisoning",
    "oversized-header": "poisoning",
}


@dataclass(frozen=True, slots=True)
class SafetyCheck:
    """One check over all parts, and the expectation that it is about; `expected` is None where none was written."""

    check: str
    checked_count: int
    alarm_count: int
    expected: Literal["leaks", "safe"] | None
    because: str = ""

    @property
    def breaks_promise(self) -> bool:
        """Whether it found what the profile was not expected to let happen."""
        return self.alarm_count > 0 and self.expected != "leaks"


@dataclass(frozen=True, slots=True)
class ProfileSafety:
    """All checks of a profile, those with alarms first; none when nobody looked."""

    checks: tuple[SafetyCheck, ...]

    @property
    def checked_count(self) -> int:
        """How many answers and probes were looked at."""
        return sum(check.checked_count for check in self.checks)

    @property
    def alarm_count(self) -> int:
        """How often something was shown that should not have been."""
        return sum(check.alarm_count for check in self.checks)

    @property
    def breaks_promise(self) -> bool:
        """Whether the profile leaked where it was expected to be safe."""
        return any(check.breaks_promise for check in self.checks)

    def as_json(self) -> dict[str, Json]:
        """The findings as they stand in a study's summary.json."""
        checks = {
            check.check: {
                "checked_count": check.checked_count,
                "alarm_count": check.alarm_count,
                "expected": check.expected,
            }
            for check in self.checks
        }
        return {"alarm_count": self.alarm_count, "breaks_promise": self.breaks_promise, "checks": checks}


def safety_of(profile: ComparedProfile, summaries: Sequence[Json]) -> ProfileSafety:
    """What the parts' summaries found, added up by check."""
    counts: dict[str, tuple[int, int]] = {}
    for summary in summaries:
        checks = found(summary, "safety", "checks")
        for name, row in checks.items() if isinstance(checks, Mapping) else ():
            checked, alarms = counts.get(name, (0, 0))
            counts[name] = (
                checked + int(number(row, "checked_count") or 0),
                alarms + int(number(row, "alarm_count") or 0),
            )
    ordered = sorted(counts.items(), key=lambda item: (not item[1][1], item[0]))
    return ProfileSafety(tuple(_check(profile, name, *both) for name, both in ordered))


def _check(profile: ComparedProfile, name: str, checked_count: int, alarm_count: int) -> SafetyCheck:
    expectation = (profile.safety or {}).get(EXPECTATION_OF.get(name, name))
    if expectation is None:
        return SafetyCheck(name, checked_count, alarm_count, None)
    return SafetyCheck(name, checked_count, alarm_count, expectation.answer, expectation.because)
