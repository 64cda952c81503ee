"""What somebody wants of a stack; handed to the supervisor on its stdin, as it may hold a database password."""

import json
import os
import pwd
from dataclasses import asdict, dataclass
from urllib.parse import urlsplit

from reference_shop.edges import PROFILES
from reference_shop.stack.identity import ProcessIdentity
from reference_shop.stack.problems import SettingsProblem

RUN_AS_VARIABLE = "LONJAK_RUN_AS"


@dataclass(frozen=True, slots=True, kw_only=True)
class StackSettings:
    """Everything that a stack is built from. `port` 0 takes a free one; an empty CPU set means any processor."""

    port: int = 8080
    edge: str = "direct"
    workers: int = 2
    products: int = 20_000
    seed: int = 1
    database_url: str | None = None
    payment_latency_ms: int | None = None
    stack_cpus: tuple[int, ...] = ()
    generator_cpus: tuple[int, ...] = ()
    run_as: str | None = None
    starter: ProcessIdentity | None = None
    owner: ProcessIdentity | None = None

    def check(self) -> None:
        """Raise SettingsProblem with everything that is wrong."""
        if problems := self.problems():
            raise SettingsProblem(problems)

    def problems(self) -> list[str]:
        """Everything that is wrong, one sentence each."""
        return [*self._number_problems(), *self._name_problems()]

    def _number_problems(self) -> list[str]:
        limits = (
            ("port", self.port, 0, 65_535),
            ("workers", self.workers, 1, 64),
            ("products", self.products, 1, 1_000_000),
            ("seed", self.seed, 0, 2**31 - 1),
            ("payment-latency-ms", self.payment_latency_ms or 0, 0, 60_000),
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

    def as_json(self) -> str:
        """The settings as `from_json` reads them."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "StackSettings":
        """The settings that `as_json` wrote."""
        values = json.loads(text)
        for name in ("stack_cpus", "generator_cpus"):
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
