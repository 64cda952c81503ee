"""What can be chosen for a stack: its edge, protections left out, throttles put on, defects planted."""

from collections.abc import Collection, Iterable
from urllib.parse import SplitResult, urlsplit

from reference_shop.defects import DEFECTS
from reference_shop.edges import PROFILES, EdgeOptions, EdgeProfile
from reference_shop.edges.programs import needed
from reference_shop.protections import PROTECTIONS
from reference_shop.throttles import Throttle, parse_throttle

ALL = "all"
# The kernel deals out processor time in pieces of at least 1 ms per period, and periods of 100 ms are long enough.
LEAST_CPU_SHARE = 0.01


def edge_problems(name: str, options: EdgeOptions, origin: str | None) -> list[str]:
    """A sentence for all that is wrong with an edge, and with the origin that it is to stand before, if any."""
    profile = PROFILES.get(name)
    if profile is None:
        return [f"edge profile {name!r} is unknown: choose one of {', '.join(PROFILES)}"]
    problems = options.problems(profile)
    return problems if origin is None else [*problems, *_origin_problems(profile, options, origin)]


def _origin_problems(profile: EdgeProfile, options: EdgeOptions, origin: str) -> list[str]:
    problems = []
    if profile.doors == 0:
        others = ", ".join(other.name for other in PROFILES.values() if other.doors)
        problems.append(f"profile {profile.name} is no edge: choose one of {others}")
    if options.purge not in ("none", "auto"):
        problems.append(f"purge {options.purge} needs the reference shop, whose changes it follows: leave --purge out")
    parts = _http_parts(origin)
    if parts is None:
        problems.append(f"origin {origin!r} is not an http:// or https:// address, such as http://127.0.0.1:8080")
    elif parts.path.strip("/") or parts.query or parts.username is not None:
        problems.append("the origin must be a scheme, a host and a port, without user, path or query")
    elif parts.scheme == "https" and "varnish" in needed(profile, options):
        problems.append(
            f"profile {profile.name} has a Varnish, which cannot speak TLS to an origin: give an http:// origin, "
            "or choose an nginx profile"
        )
    return problems


def _http_parts(url: str) -> SplitResult | None:
    """The parts of an http(s) URL with a host; None for anything else."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number
        return None
    return parts if usable else None


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
