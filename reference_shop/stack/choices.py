"""What can be chosen by name for a stack: protections left out, throttles put on, defects planted."""

from collections.abc import Collection, Iterable

from reference_shop.defects import DEFECTS
from reference_shop.protections import PROTECTIONS
from reference_shop.throttles import Throttle, parse_throttle

ALL = "all"
# The kernel deals out processor time in pieces of at least 1 ms per period, and periods of 100 ms are long enough.
LEAST_CPU_SHARE = 0.01


def protections_on(without: Collection[str]) -> tuple[str, ...]:
    """The protections that are left when those of `without` are taken out; "all" takes out every one."""
    return () if ALL in without else tuple(name for name in PROTECTIONS if name not in without)


def protection_problems(without: Iterable[str]) -> list[str]:
    """A sentence for each name that no protection has."""
    return [
        f"protection {name!r} is unknown: choose one of {', '.join((*PROTECTIONS, ALL))}"
        for name in without
        if name != ALL and name not in PROTECTIONS
    ]


def defect_problems(defects: Iterable[str]) -> list[str]:
    """A sentence for each name that no defect has."""
    return [
        f"defect {name!r} is unknown: `lonjak shop defects` lists them all" for name in defects if name not in DEFECTS
    ]


def throttle_problems(texts: Iterable[str], *, edge: str, own_database: bool) -> list[str]:
    """A sentence for each throttle that is malformed, said twice, or has nothing here that it could slow down."""
    problems: list[str] = []
    seen: set[tuple[str, str]] = set()
    for text in texts:
        try:
            throttle = parse_throttle(text)
        except ValueError as problem:
            problems.append(str(problem))
            continue
        if (throttle.tier, throttle.kind) in seen:
            problems.append(f"throttle {throttle.tier}.{throttle.kind} is given more than once")
        seen.add((throttle.tier, throttle.kind))
        problems.extend(_misplaced(throttle, edge=edge, own_database=own_database))
    return problems


def _misplaced(throttle: Throttle, *, edge: str, own_database: bool) -> list[str]:
    name = f"{throttle.tier}.{throttle.kind}"
    if throttle.tier == "edge" and edge == "direct" and throttle.kind != "delay-ms":
        return [f"throttle {name} needs an edge to slow down, and edge direct is none: choose another with --edge"]
    if name == "database.cpu" and not own_database:
        return ["throttle database.cpu needs a database of the stack's own: leave --database-url out"]
    if throttle.kind == "cpu" and throttle.value < LEAST_CPU_SHARE:
        return [f"throttle {name} is {throttle.value:g}: it must be at least {LEAST_CPU_SHARE}"]
    return []
