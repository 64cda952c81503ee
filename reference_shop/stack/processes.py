"""How the shop's own programs are launched: their commands, settings, logs and doors.

A setting that a program may do without is only sent where it says something else than the program's own default.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from reference_shop.protections import PROTECTIONS
from reference_shop.stack.child import METRICS_VARIABLE, ProcessSpec
from reference_shop.stack.database_part import Database
from reference_shop.stack.document import AccessLog, PurgeDoor
from reference_shop.stack.doors import ShopDoors
from reference_shop.stack.folder import StackFolder
from reference_shop.stack.ports import HOST, number_of
from reference_shop.stack.programs import program
from reference_shop.stack.settings import StackSettings

# An assumption, not a measured figure: a card payment that takes about this long, now and then several times as long.
_PAYMENT_LATENCY: dict[str, object] = {"distribution": "lognormal", "median_ms": 80, "sigma": 0.5}
_DECLINE_RATIO = 0.02


@dataclass(frozen=True, slots=True)
class ShopProcesses:
    """Builds the specifications of one stack's seed, payment provider, shop workers, back office and purger."""

    settings: StackSettings
    folder: StackFolder
    database: Database
    ops_token: str
    doors: ShopDoors
    images: Path

    def seed(self) -> ProcessSpec:
        """The program that fills the database and draws the product images; reports progress, ends by itself."""
        return ProcessSpec(
            role="seed",
            tier="database",
            command=program("seed", self.settings.defects),
            folder=self.folder.path,
            log=self.folder.log("seed"),
            settings={
                "database_url": self.database.url,
                "schema": self.database.schema,
                "products": self.settings.products,
                "seed": self.settings.seed,
                "images_dir": str(self.images),
                "run_as": self.settings.run_as,
                **({"past_orders": self.settings.past_orders} if self.settings.past_orders else {}),
            },
            cpu_set=self.settings.stack_cpus,
            reports_progress=True,
            restart="never",
        )

    def payment(self) -> ProcessSpec:
        """The payment provider."""
        fixed_ms = self.settings.payment_latency_ms
        return ProcessSpec(
            role="payment",
            tier="payment",
            command=program("payment", self.settings.defects),
            folder=self.folder.path,
            log=self.folder.log("payment"),
            settings={
                "listen_fd": self.doors.payment.fileno(),
                "latency": _PAYMENT_LATENCY if fixed_ms is None else {"distribution": "constant", "ms": fixed_ms},
                "decline_ratio": _DECLINE_RATIO,
                "seed": self.settings.seed,
                "journal": str(self.folder.open_to_processes("payment") / "journal.jsonl"),
                "access_log": str(self._access_log("payment")),
                "run_as": self.settings.run_as,
                **self._load_limits("payment", process_count=1),
            },
            port=number_of(self.doors.payment),
            cpu_set=self.settings.stack_cpus,
            environment=self._metrics("payment"),
            inherited_fds=(self.doors.payment.fileno(),),
            stop_s=2.0,
        )

    def shop_worker(self, number: int) -> ProcessSpec:
        """One of the shop's workers, counted from 1; all accept from one socket."""
        role = f"shop-{number}"
        return ProcessSpec(
            role=role,
            tier="shop",
            command=program("web", self.settings.defects),
            folder=self.folder.path,
            log=self.folder.log(role),
            settings={
                "listen_fd": self.doors.shop.fileno(),
                "database_url": self.database.shop_url,
                "schema": self.database.schema,
                "payment_url": f"http://{HOST}:{number_of(self.doors.payment)}",
                "ops_token": self.ops_token,
                "images_dir": str(self.images),
                "worker": role,
                "behind_edge": self.settings.has_edge,
                "access_log": str(self._access_log(role)),
                "run_as": self.settings.run_as,
                **self._load_limits("shop", process_count=self.settings.workers),
                **self._worker_choices(),
            },
            port=number_of(self.doors.shop),
            cpu_set=self.settings.stack_cpus,
            environment=self._metrics("shop"),
            inherited_fds=(self.doors.shop.fileno(),),
            announces_itself=True,
            stop_s=4.0,
        )

    def backoffice(self) -> ProcessSpec:
        """The back office. Its tier is its own: an experiment that breaks the shop does not mean the back office."""
        return ProcessSpec(
            role="backoffice",
            tier="backoffice",
            command=program("backoffice", self.settings.defects),
            folder=self.folder.path,
            log=self.folder.log("backoffice"),
            settings={
                "database_url": self.database.shop_url,
                "schema": self.database.schema,
                "seed": self.settings.seed,
                "changes_per_s": self.settings.changes_per_s,
                "run_as": self.settings.run_as,
            },
            cpu_set=self.settings.stack_cpus,
        )

    def purger(self, doors: Sequence[PurgeDoor], how: str, host: str) -> ProcessSpec:
        """What takes changed products out of the caches at these doors, origin side first; `host` is in their keys."""
        return ProcessSpec(
            role="purger",
            tier="purger",
            command=program("purging", self.settings.defects),
            folder=self.folder.path,
            log=self.folder.log("purger"),
            settings={
                "database_url": self.database.shop_url,
                "schema": self.database.schema,
                "doors": [asdict(door) for door in doors],
                "how": how,
                "host": host,
                "run_as": self.settings.run_as,
            },
            cpu_set=self.settings.stack_cpus,
        )

    def access_logs(self) -> tuple[AccessLog, ...]:
        """Where shop workers and payment provider log their requests."""
        shop = (AccessLog("shop", str(self._access_log(f"shop-{number}"))) for number in self.worker_numbers)
        return (*shop, AccessLog("payment", str(self._access_log("payment"))))

    @property
    def worker_numbers(self) -> range:
        """1 to the number of workers."""
        return range(1, self.settings.workers + 1)

    def _load_limits(self, tier: str, process_count: int) -> dict[str, object]:
        """What throttles say of a tier that delays and counts its requests itself, divided among its processes."""
        limits: dict[str, object] = {}
        if (concurrency := self.settings.throttle(tier, "concurrency")) is not None:
            limits["concurrency"] = math.ceil(concurrency / process_count)
        if (delay_ms := self.settings.throttle(tier, "delay-ms")) is not None:
            limits["delay_ms"] = delay_ms
        return limits

    def _worker_choices(self) -> dict[str, object]:
        choices: dict[str, object] = {}
        if len(self.settings.protections) < len(PROTECTIONS):
            choices["protections"] = list(self.settings.protections)
        if (sessions := self.settings.throttle("database", "concurrency")) is not None:
            choices["max_connections"] = max(1, int(sessions) // self.settings.workers)
        return choices

    def _metrics(self, program_name: str) -> dict[str, str]:
        """Where the processes of a program keep their metrics; the stack's folder, and so this one, begins empty."""
        return {METRICS_VARIABLE: str(self.folder.open_to_processes(f"metrics-{program_name}"))}

    def _access_log(self, role: str) -> Path:
        return self.folder.open_to_processes("access") / f"{role}.jsonl"
