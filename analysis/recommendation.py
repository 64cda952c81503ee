"""Which edge profile to take, by a rule that anybody can follow; pure.

1. Who leaked is out. 2. Who was not measured, has no verdict or failed is out; if nobody passed, nothing is
recommended. 3. Of the rest, whoever is slower than the fastest at the catalogue's p95 is out, 4. then whoever spares
the origin less than the one that spares it most; both only where the 95 % intervals do not meet. 5. Of those still not
told apart the simplest is recommended.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, Self, TypeAlias

from analysis.bootstrap import Estimate
from analysis.compared import ProfileFigures
from analysis.steady_seconds import CATALOGUE
from loadgen.records import Json

SIMPLEST_FIRST = ("direct", "nginx-pass", "nginx-micro", "nginx", "varnish", "two-tier")
BASELINES = ("direct", "nginx-pass")
Ground: TypeAlias = Literal[
    "leaked", "not measured", "not run", "no verdict", "failed", "slower", "spares less", "less simple"
]


@dataclass(frozen=True, slots=True)
class Candidate:
    """What the rule looks at; `tried` is False where the study ended before it came to this one."""

    name: str
    alarm_count: int
    outcome: str | None
    p95_ms: Estimate
    offload_ratio: Estimate
    tried: bool = True

    @classmethod
    def of(cls, figures: ProfileFigures) -> Self:
        """The candidate that a column of the comparison is."""
        return cls(
            figures.profile.name,
            figures.safety.alarm_count,
            figures.outcome,
            figures.response(CATALOGUE, "p95"),
            figures.spared_ratio,
            figures.tried,
        )


@dataclass(frozen=True, slots=True)
class RuledOut:
    """Who is not recommended, and the first ground for it."""

    name: str
    ground: Ground


@dataclass(frozen=True, slots=True)
class Recommendation:
    """The profile to take, None when there is none; all others in the order in which the rule put them aside."""

    profile: str | None
    ruled_out: tuple[RuledOut, ...]

    def grounds(self, *grounds: Ground) -> list[str]:
        """Who was put aside for one of these."""
        return [ruled.name for ruled in self.ruled_out if ruled.ground in grounds]

    def as_json(self) -> dict[str, Json]:
        """The recommendation as it stands in a study's summary.json."""
        return {"profile": self.profile, "ruled_out": {ruled.name: ruled.ground for ruled in self.ruled_out}}


def recommend(candidates: Iterable[Candidate]) -> Recommendation:
    """Apply the rule."""
    left = sorted(candidates, key=lambda candidate: simplicity(candidate.name))
    ruled_out: list[RuledOut] = []
    for ground, stays in _STEPS:
        kept = stays(left)
        ruled_out += [RuledOut(candidate.name, ground) for candidate in left if candidate not in kept]
        left = kept
    ruled_out += [RuledOut(candidate.name, "less simple") for candidate in left[1:]]
    return Recommendation(left[0].name if left else None, tuple(ruled_out))


def simplicity(profile: str) -> tuple[int, str]:
    """Sorts profiles by how little there is to run, unknown ones last."""
    known = SIMPLEST_FIRST.index(profile) if profile in SIMPLEST_FIRST else len(SIMPLEST_FIRST)
    return known, profile


def _fastest(left: Sequence[Candidate]) -> list[Candidate]:
    return _not_worse(left, lambda candidate: candidate.p95_ms, least=True)


def _most_sparing(left: Sequence[Candidate]) -> list[Candidate]:
    return _not_worse(left, lambda candidate: candidate.offload_ratio, least=False)


def _not_worse(left: Sequence[Candidate], of: Callable[[Candidate], Estimate], *, least: bool) -> list[Candidate]:
    """Those that are not told apart from the best; all of them where nobody has a figure."""
    values = [value for candidate in left if (value := of(candidate).value) is not None]
    if not values:
        return list(left)
    wanted = min(values) if least else max(values)
    best = next(of(candidate) for candidate in left if of(candidate).value == wanted)
    return [candidate for candidate in left if of(candidate).overlaps(best)]


def _outcome_is_not(outcome: str | None) -> Callable[[Sequence[Candidate]], list[Candidate]]:
    return lambda left: [candidate for candidate in left if candidate.outcome != outcome]


_STEPS: tuple[tuple[Ground, Callable[[Sequence[Candidate]], list[Candidate]]], ...] = (
    ("leaked", lambda left: [candidate for candidate in left if not candidate.alarm_count]),
    ("not measured", lambda left: [each for each in left if each.outcome is not None or not each.tried]),
    ("not run", _outcome_is_not(None)),
    ("no verdict", _outcome_is_not("unknown")),
    ("failed", _outcome_is_not("fail")),
    ("slower", _fastest),
    ("spares less", _most_sparing),
)
