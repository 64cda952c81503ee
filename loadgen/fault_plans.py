"""The [[faults]] tables of a scenario: what is broken, when, for how long, and how badly."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from loadgen.fields import Fields

TIERS = ("shop", "payment", "database", "edge", "shield", "front")
_LONGEST_S = 7 * 86400.0
_SHORTEST_S = 0.001
_ROUNDING = 1 + 1e-9  # a timetable that was stretched may end that much later than the load

PARAMETERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "kill-worker": ("tier",),
        "origin-down": ("for_s",),
        "origin-slow": ("delay_ms", "for_s"),
        "purge-storm": ("per_s", "for_s"),
        "edge-lost": ("role", "for_s"),
        "edge-reload": ("every_s", "for_s"),
    }
)
"""What each kind of fault takes besides `at_s`, as history and files name it."""
FAULT_KINDS = tuple(PARAMETERS)
_ALL = tuple(dict.fromkeys(name for names in PARAMETERS.values() for name in names))


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """One thing to break, `at_s` seconds from the start; what its kind does not take is empty or 0.

    `for_s` is how long it lasts, `delay_ms` how long the way to the origin takes meanwhile, `per_s` purges a second,
    `every_s` the seconds from one reload to the next, `role` the process that is lost (empty: the last of the edge's).
    """

    kind: str
    at_s: float
    tier: str = ""
    for_s: float = 0.0
    delay_ms: float = 0.0
    per_s: float = 0.0
    every_s: float = 0.0
    role: str = ""

    @property
    def parameters(self) -> dict[str, str | float]:
        """What was chosen of what its kind takes, without `at_s`."""
        return {name: value for name in PARAMETERS[self.kind] if (value := getattr(self, name)) != ""}


def read_fault(given: Fields, duration_s: float, stretch: float) -> FaultPlan:
    """One table; `stretch` is by how much another duration than the file's stretches instants and lengths of time."""
    kind = given.choice("kind", "kill-worker", FAULT_KINDS)
    taken = PARAMETERS[kind]
    if given.sound("kind"):
        for name in _ALL:
            if name not in taken:
                given.refuse(name, f"the fault {kind} does not take it: leave it out")
    written_s = duration_s / stretch
    at_s = given.number("at_s", written_s / 2, low=0.0, high=written_s)
    return FaultPlan(
        kind=kind,
        at_s=min(at_s * stretch, duration_s),  # rounding must not carry it past the end
        tier=given.choice("tier", "shop", TIERS) if "tier" in taken else "",
        for_s=_for_s(given, at_s, written_s) * stretch if "for_s" in taken else 0.0,
        delay_ms=given.number("delay_ms", 500.0, low=0.0, high=60_000.0) if "delay_ms" in taken else 0.0,
        per_s=given.number("per_s", 20.0, low=0.1, high=1000.0) if "per_s" in taken else 0.0,
        every_s=_seconds(given, "every_s", 5.0) * stretch if "every_s" in taken else 0.0,
        role=given.text("role", "") if "role" in taken else "",
    )


def _for_s(given: Fields, at_s: float, written_s: float) -> float:
    """How long, half of what is left by default; it must be over when the load is, or nobody could see it end."""
    for_s = _seconds(given, "for_s", max(_SHORTEST_S, (written_s - at_s) / 2))
    if given.sound("at_s", "for_s") and at_s + for_s > written_s * _ROUNDING:
        given.problem(
            f"at_s {at_s:g} and for_s {for_s:g} end at {at_s + for_s:g} s, "
            f"but must end within the duration of {written_s:g} s"
        )
    return for_s


def _seconds(given: Fields, name: str, default: float) -> float:
    return given.number(name, default, low=_SHORTEST_S, high=_LONGEST_S)
