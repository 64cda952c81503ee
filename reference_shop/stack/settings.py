"""What somebody wants of a stack; handed to the supervisor on its stdin, as it may hold a database password."""

import json
import os
import pwd
from dataclasses import asdict, dataclass, field, replace
from urllib.parse import urlsplit

from reference_shop.edges import PROFILES, EdgeOptions, EdgeProfile
from reference_shop.edges.options import needs_front, resolve_purge
from reference_shop.edges.programs import needed
from reference_shop.stack.choices import (
    defect_problems,
    edge_problems,
    protection_problems,
    protections_on,
    throttle_problems,
)
from reference_shop.stack.identity import ProcessIdentity
from reference_shop.stack.problems import SettingsProblem
from reference_shop.throttles import parse_throttle

RUN_AS_VARIABLE = "LONJAK_RUN_AS"


@dataclass(frozen=True, slots=True, kw_only=True)
class StackSettings:
    """Everything that a stack is built from. `port` 0 takes a free one; an empty CPU set means any processor.

    `without` names protections that are left out, `defects` those that are planted; `throttles` are written
    TIER.KIND=VALUE; `changes_per_s` 0 means no back office. With an `origin` there is no shop: the edge alone is
    started, before that http(s) address.
    """

    port: int = 8080
    edge: str = "direct"
    edge_options: EdgeOptions = field(default_factory=EdgeOptions)
    origin: str | None = None
    workers: int = 2
    products: int = 20_000
    seed: int = 1
    database_url: str | None = None
    payment_latency_ms: int | None = None
    past_orders: int = 0
    changes_per_s: float = 2.0
    without: tuple[str, ...] = ()
    throttles: tuple[str, ...] = ()
    defects: tuple[str, ...] = ()
    stack_cpus: tuple[int, ...] = ()
    generator_cpus: tuple[int, ...] = ()
    run_as: str | None = None
    starter: ProcessIdentity | None = None
    owner: ProcessIdentity | None = None

    @property
    def profile(self) -> EdgeProfile:
        """The edge's profile; KeyError for one that `problems` names."""
        return PROFILES[self.edge]

    @property
    def resolved_edge_options(self) -> EdgeOptions:
        """The edge's options, with what "auto" means for this profile; nobody purges before a foreign origin."""
        wanted = self.edge_options.purge if self.origin is None else "none"
        return replace(self.edge_options, purge=resolve_purge(wanted, self.profile))

    @property
    def has_front(self) -> bool:
        """Whether an nginx stands before the profile, or before the shop itself, for what was chosen besides."""
        return needs_front(self.profile, self.edge_options, self.edge_concurrency)

    @property
    def has_edge(self) -> bool:
        """Whether a process of an edge has the public door, rather than the shop or a proxy of ours."""
        return self.profile.doors > 0 or self.has_front

    @property
    def edge_concurrency(self) -> int | None:
        """How many requests the edge may have in work at once."""
        places = self.throttle("edge", "concurrency")
        return None if places is None else int(places)

    @property
    def edge_programs(self) -> tuple[str, ...]:
        """The programs that the edge needs, by their names in `reference_shop.edges.programs`."""
        names = (*needed(self.profile, self.edge_options), *(("nginx",) if self.has_front else ()))
        return tuple(dict.fromkeys(names))

    @property
    def protections(self) -> tuple[str, ...]:
        """The protections that are on."""
        return protections_on(self.without)

    def throttle(self, tier: str, kind: str) -> float | None:
        """The value of a throttle; None when it is not on."""
        throttles = map(parse_throttle, self.throttles)
        return next((found.value for found in throttles if (found.tier, found.kind) == (tier, kind)), None)

    @property
    def cpu_shares(self) -> dict[str, float]:
        """How much of a core each tier with such a throttle may use."""
        throttles = map(parse_throttle, self.throttles)
        return {throttle.tier: throttle.value for throttle in throttles if throttle.kind == "cpu"}

    def check(self) -> None:
        """Raise SettingsProblem with everything that is wrong."""
        if problems := self.problems():
            raise SettingsProblem(problems)

    def problems(self) -> list[str]:
        """Everything that is wrong, one sentence each."""
        return [*self._number_problems(), *self._name_problems(), *self._choice_problems()]

    def _number_problems(self) -> list[str]:
        limits: tuple[tuple[str, float, int, int], ...] = (
            ("port", self.port, 0, 65_535),
            ("workers", self.workers, 1, 64),
            ("products", self.products, 1, 1_000_000),
            ("seed", self.seed, 0, 2**31 - 1),
            ("payment-latency-ms", self.payment_latency_ms or 0, 0, 60_000),
            ("past-orders", self.past_orders, 0, 1_000_000),
            ("changes-per-s", self.changes_per_s, 0, 1000),
        )
        return [
            f"{name} is {value}: it must be between {lowest} and {highest}"
            for name, value, lowest, highest in limits
            if not lowest <= value <= highest
        ]

    def _name_problems(self) -> list[str]:
        problems = edge_problems(self.edge, self.edge_options, self.origin)
        if self.database_url is not None and not _is_database_url(self.database_url):
            problems.append("the database URL must look like postgresql://user:password@host:5432/name")
        if self.run_as is not None:
            problems.extend(_user_problems(self.run_as))
        return problems

    def _choice_problems(self) -> list[str]:
        return [
            *protection_problems(self.without),
            *throttle_problems(self.throttles, edge=self.edge, own_database=self.database_url is None),
            *defect_problems(self.defects),
        ]

    def as_json(self) -> str:
        """The settings as `from_json` reads them."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "StackSettings":
        """The settings that `as_json` wrote."""
        values = json.loads(text)
        values["edge_options"] = EdgeOptions(**values["edge_options"])
        for name in ("without", "throttles", "defects", "stack_cpus", "generator_cpus"):
            values[name] = tuple(values[name])
        for name in ("starter", "owner"):
            values[name] = ProcessIdentity(**values[name]) if values[name] else None
        return cls(**values)


def default_run_as() -> str | None:
    """The user that the stack's processes become: LONJAK_RUN_AS, else nobody, when this is root; None otherwise."""
    return os.environ.get(RUN_AS_VARIABLE, "nobody") if os.geteuid() == 0 else None


def _is_database_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"postgresql", "postgres"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number
        return False


def _user_problems(name: str) -> list[str]:
    try:
        user = pwd.getpwnam(name)
    except KeyError:
        return [f"{RUN_AS_VARIABLE} names the user {name!r}, which this machine does not have"]
    return [f"{RUN_AS_VARIABLE} names {name!r}, but PostgreSQL refuses to run as root"] if user.pw_uid == 0 else []
