"""Whether runs are of the same load on the same thing, so that a difference between them is the shop's; pure.

What is to be compared may differ: the shop's own code, its address, the commit.
"""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from loadgen.errors import RunDirectoryProblem, UsageProblem
from loadgen.manifest import Manifest
from loadgen.rundir import RunDirectory

_NOT_THE_LOAD = ("name", "description", "target", "objectives")
# Fields of [load] that have a name of their own here.
_TOLD_ELSEWHERE = ("model", "rate_per_s", "duration_s", "duration", "warmup_s", "warmup", "seed", "users", "arrivals")
_SAME_DURATION_RATIO = 0.01  # a run that nobody planned the end of is never the same to the millisecond


@dataclass(frozen=True, slots=True)
class Identity:
    """What a run was, as far as two must agree in it: its manifest and its scenario's settings."""

    label: str
    manifest: Manifest
    settings: str


@dataclass(frozen=True, slots=True)
class Unlike:
    """A field in which runs differ, with a value of each side as text."""

    field: str
    a: str
    b: str

    @property
    def sentence(self) -> str:
        """The field and its values."""
        return f"{self.field} ({self.a} / {self.b})"


def identity(run: RunDirectory, manifest: Manifest) -> Identity:
    """What a run was; RunDirectoryProblem when its scenario cannot be read."""
    return Identity(str(run.path), manifest, _settings(run.scenario))


def known_fields(allowed: Sequence[str]) -> None:
    """UsageProblem when one of these is no field in which runs could differ."""
    if unknown := sorted(set(allowed) - set(FIELDS)):
        raise UsageProblem(f"--allow {unknown[0]} is no field of a run; the fields are {', '.join(FIELDS)}")


def refuse_unlike(a: Sequence[Identity], b: Sequence[Identity], allowed: Sequence[str]) -> tuple[Unlike, ...]:
    """The differences that were allowed; UsageProblem names all that were not."""
    known_fields(allowed)
    found = differences(a, b)
    if refused := [unlike for unlike in found if unlike.field not in allowed]:
        hint = " ".join(f"--allow {unlike.field}" for unlike in refused)
        raise UsageProblem(
            f"these runs are not of the same load, and differ in {', '.join(each.sentence for each in refused)}: "
            f"compare runs that are alike, or say that this does not matter with {hint}"
        )
    return found


def differences(a: Sequence[Identity], b: Sequence[Identity]) -> tuple[Unlike, ...]:
    """Every field in which a run differs from the first one of A, and the seeds when the sides have other ones."""
    first = a[0]
    found: list[Unlike] = []
    for field, told in FIELDS.items():
        if field == "seed":
            found += _seeds(a, b)
            continue
        for other in (*b, *a[1:]):
            left, right = told(first), told(other)
            if not _same(field, left, right):
                found.append(Unlike(field, *_shortest(left, right)))
                break
    return tuple(found)


def _seeds(a: Sequence[Identity], b: Sequence[Identity]) -> list[Unlike]:
    """The same seeds on both sides are the same shoppers; a new one for every run is a new sample each time."""
    left, right = ([identity.manifest.seed for identity in side] for side in (a, b))
    varied = min(len(left), len(right)) > 1 and all(len(set(side)) == len(side) for side in (left, right))
    if set(left) == set(right) or varied:
        return []
    return [Unlike("seed", *(", ".join(map(str, sorted(set(side)))) for side in (left, right)))]


def _same(field: str, left: str, right: str) -> bool:
    if field == "products" and "unknown" in (left, right):
        return True  # a run of before, or a shop of somebody else's
    if field in ("duration", "warmup"):
        return abs(float(left) - float(right)) <= _SAME_DURATION_RATIO * max(float(left), float(right))
    return left == right


def _shortest(left: str, right: str) -> tuple[str, str]:
    """Of long lists only the entries that differ."""
    mine, theirs = left.split("; "), right.split("; ")
    if len(mine) == 1 and len(theirs) == 1:
        return left, right
    one, other = ([entry for entry in each if entry not in rest] for each, rest in ((mine, theirs), (theirs, mine)))
    return "; ".join(one) or "nothing", "; ".join(other) or "nothing"


def _mapped(values: Mapping[str, object]) -> str:
    return "; ".join(f"{name} {value}" for name, value in sorted(values.items())) or "nothing"


def _machine(manifest: Manifest) -> str:
    host = manifest.host
    return _mapped({name: host[name] for name in ("cpu_count", "memory_bytes") if name in host})


FIELDS: Mapping[str, Callable[[Identity], str]] = {
    "scenario": lambda run: run.manifest.scenario,
    "model": lambda run: run.manifest.plan.model,
    "arrivals": lambda run: run.manifest.plan.arrivals,
    "rate": lambda run: f"{run.manifest.plan.rate_per_s:g}",
    "users": lambda run: str(run.manifest.plan.users),
    "duration": lambda run: f"{run.manifest.plan.duration_s:g}",
    "warmup": lambda run: f"{run.manifest.plan.warmup_s:g}",
    "seed": lambda run: str(run.manifest.seed),
    "settings": lambda run: run.settings,
    "edge": lambda run: run.manifest.edge or "none",
    "edge_options": lambda run: _mapped(run.manifest.edge_options),
    "products": lambda run: "unknown" if run.manifest.products is None else str(run.manifest.products),
    "targets": lambda run: f"{max(1, len(run.manifest.targets))} points of presence",
    "generators": lambda run: str(len(run.manifest.workers)),
    "machine": lambda run: _machine(run.manifest),
    "versions": lambda run: _mapped(run.manifest.versions),
}


def _settings(path: Path) -> str:
    """What a scenario says besides its load, target and objectives; unlike runs may be alike in all the rest."""
    if not path.exists():
        return "nothing"
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunDirectoryProblem(f"{path} is damaged: {error}") from None
    return _mapped(dict(_leaves(table, ())))


def _leaves(table: Mapping[str, object], above: tuple[str, ...]) -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    for key, value in table.items():
        if not above and key in _NOT_THE_LOAD:
            continue
        if above == ("load",) and key in _TOLD_ELSEWHERE:
            continue
        if isinstance(value, dict):
            found += _leaves(value, (*above, key))
        else:
            found.append((".".join((*above, key)), value))
    return found
