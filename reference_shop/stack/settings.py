"""What somebody wants of a stack; handed to the supervisor on its stdin, as it may hold a database password."""

import json
import os
import pwd
from dataclasses import asdict, dataclass
from urllib.parse import urlsplit

from reference_shop.edges import PROFILES
from reference_shop.stack.choices import defect_problems, protection_problems, protections_on, throttle_problems
from reference_shop.stack.identity import ProcessIdentity
from reference_shop.stack.problems import SettingsProblem
from reference_shop.throttles import parse_throttle

RUN_AS_VARIABLE = "LONJAK_RUN_AS"


@dataclass(frozen=True, slots=True, kw_only=True)
class StackSettings:
    """Everything that a stack is built from. `port` 0 takes a free one; an empty CPU set means any processor.

    `without` names protections that are left out, `defects` those that are planted; `throttles` are written
    TIER.KIND=VALUE; `changes_per_s` 0 means no back office.
    """

    port: int = 8080
    edge: str = "direct"
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
        problems = []
        if self.edge not in PROFILES:
            problems.append(f"edge profile {self.edge!r} is unknown: choose one of {', '.join(PROFILES)}")
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
