"""How the shop's own programs and its edge are launched: their commands, settings, logs and doors."""

import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from reference_shop.edges import nginx
from reference_shop.stack.child import ProcessSpec
from reference_shop.stack.document import AccessLog
from reference_shop.stack.folder import StackFolder
from reference_shop.stack.ports import HOST, number_of
from reference_shop.stack.settings import StackSettings

# An assumption, not a measured figure: a card payment that takes about this long, now and then several times as long.
_PAYMENT_LATENCY: dict[str, object] = {"distribution": "lognormal", "median_ms": 80, "sigma": 0.5}
_DECLINE_RATIO = 0.02


@dataclass(frozen=True, slots=True)
class ShopProcesses:
    """Builds the specifications of one stack's seed, payment provider, shop workers and edge."""

    settings: StackSettings
    folder: StackFolder
    database_url: str
    schema: str
    ops_token: str
    shop_socket: socket.socket
    payment_socket: socket.socket
    public_port: int
    images: Path

    def seed(self) -> ProcessSpec:
        """The program that fills the database and draws the product images; reports progress, ends by itself."""
        return ProcessSpec(
            role="seed",
            tier="database",
            command=_program("seed"),
            folder=self.folder.path,
            log=self.folder.log("seed"),
            settings={
                "database_url": self.database_url,
                "schema": self.schema,
                "products": self.settings.products,
                "seed": self.settings.seed,
                "images_dir": str(self.images),
                "run_as": self.settings.run_as,
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
            command=_program("payment"),
            folder=self.folder.path,
            log=self.folder.log("payment"),
            settings={
                "listen_fd": self.payment_socket.fileno(),
                "latency": _PAYMENT_LATENCY if fixed_ms is None else {"distribution": "constant", "ms": fixed_ms},
                "decline_ratio": _DECLINE_RATIO,
                "seed": self.settings.seed,
                "journal": str(self.folder.open_to_processes("payment") / "journal.jsonl"),
                "run_as": self.settings.run_as,
            },
            port=number_of(self.payment_socket),
            cpu_set=self.settings.stack_cpus,
            inherited_fds=(self.payment_socket.fileno(),),
            stop_s=2.0,
        )

    def shop_worker(self, number: int) -> ProcessSpec:
        """One of the shop's workers, counted from 1; all accept from one socket."""
        role = f"shop-{number}"
        return ProcessSpec(
            role=role,
            tier="shop",
            command=_program("web"),
            folder=self.folder.path,
            log=self.folder.log(role),
            settings={
                "listen_fd": self.shop_socket.fileno(),
                "database_url": self.database_url,
                "schema": self.schema,
                "payment_url": f"http://{HOST}:{number_of(self.payment_socket)}",
                "ops_token": self.ops_token,
                "images_dir": str(self.images),
                "worker": role,
                "behind_edge": self.settings.edge != "direct",
                "access_log": str(self._access_log(role)),
                "run_as": self.settings.run_as,
            },
            port=number_of(self.shop_socket),
            cpu_set=self.settings.stack_cpus,
            inherited_fds=(self.shop_socket.fileno(),),
            announces_itself=True,
            stop_s=4.0,
        )

    def edge(self, program: Path) -> ProcessSpec:
        """nginx, its configuration written; SIGQUIT lets it finish and write its log out."""
        prefix = self.folder.open_to_processes("edge")
        workers = len(self.settings.stack_cpus) or 1
        nginx.NginxEdge(self.public_port, number_of(self.shop_socket), workers).write(prefix)
        self.folder.hand_over(prefix / nginx.CONFIGURATION)
        return ProcessSpec(
            role="edge",
            tier="edge",
            command=nginx.command(program, prefix),
            folder=self.folder.path,
            log=self.folder.log("edge"),
            port=self.public_port,
            cpu_set=self.settings.stack_cpus,
            become=self.folder.run_as,
            stop_signal=signal.SIGQUIT,
        )

    def access_logs(self) -> tuple[AccessLog, ...]:
        """Where edge and shop workers log their requests."""
        shop = (AccessLog("shop", str(self._access_log(f"shop-{number}"))) for number in self.worker_numbers)
        edge = (AccessLog("edge", str(self.folder.path / "edge" / nginx.ACCESS_LOG)),)
        return (*(edge if self.settings.edge == "nginx" else ()), *shop)

    @property
    def worker_numbers(self) -> range:
        """1 to the number of workers."""
        return range(1, self.settings.workers + 1)

    def _access_log(self, role: str) -> Path:
        return self.folder.open_to_processes("access") / f"{role}.jsonl"


def _program(name: str) -> tuple[str, ...]:
    """A program of ours, by this very interpreter; -P keeps its working folder off the import path."""
    return (sys.executable, "-P", "-m", f"reference_shop.{name}")
