"""Shops of one test each: a database of its own, copied from a seeded one, a payment provider, workers."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from reference_shop.edges import PROFILES, EdgeOptions, layout, nginx, programs
from tests.shop.database import ask
from tests.shop.processes import (
    RUN_AS,
    SCHEMA,
    Postgres,
    Program,
    Workshop,
    group,
    listen,
    port_of,
    wait_until,
)

PRODUCT_COUNT = 400


@dataclass(frozen=True, slots=True)
class Site:
    """A shop that is open."""

    folder: Path
    database_url: str
    provider: Program
    workers: tuple[Program, ...]
    database_log: Path

    @property
    def url(self) -> str:
        """The first worker's."""
        return self.workers[0].url

    def ask(self, query: str, *args: object) -> object:
        """Run one statement in the shop's schema; return the first column of its first row."""
        return ask(self.database_url, query, *args)

    @contextmanager
    def edge(self) -> Iterator[str]:
        """nginx in front of the first worker; its address."""
        found = programs.find("nginx")
        assert found is not None
        with listen() as reserved:
            port = port_of(reserved)
        prefix = _new_folder(self.folder / "edge")
        origin = layout.Origin("127.0.0.1", int(self.url.rpartition(":")[2]))
        site = layout.Site(PROFILES["nginx"], EdgeOptions(), origin, (port,), {}, prefix, 1)
        for name, text in nginx.edge(site, port).files.items():
            (prefix / name).write_text(text, encoding="utf-8")
        with subprocess.Popen(nginx.command(found, prefix), user=RUN_AS, extra_groups=[] if RUN_AS else None) as edge:
            try:
                wait_until(lambda: _accepts(port), "the start of nginx")
                yield f"http://127.0.0.1:{port}"
            finally:
                edge.send_signal(signal.SIGQUIT)

    @contextmanager
    def back_office(self, changes_per_s: float) -> Iterator[None]:
        """Merchants at work."""
        settings = {
            "database_url": self.database_url,
            "schema": SCHEMA,
            "seed": 1,
            "changes_per_s": changes_per_s,
            "run_as": RUN_AS,
        }
        with subprocess.Popen(
            [sys.executable, "-m", "reference_shop.backoffice"],
            stdin=subprocess.PIPE,
            text=True,
            env=os.environ | {"HOME": str(self.folder)},
        ) as office:
            assert office.stdin is not None
            with office.stdin as stdin:
                stdin.write(json.dumps(settings))
            try:
                yield
            finally:
                office.terminate()
        assert office.returncode == 0


@dataclass(frozen=True, slots=True)
class Sites:
    """Opens shops that begin alike; `template` is the seeded database."""

    folder: Path
    images: Path
    postgres: Postgres
    template: str

    @contextmanager
    def open(
        self,
        defect: str | None,
        *,
        worker_count: int = 1,
        latency_ms: int = 1,
        session: str = "",
        **settings: object,
    ) -> Iterator[Site]:
        """A shop with a defect, or without one, while the context lasts; `session`: what its connections are to set."""
        name = f"shop_{len(list(self.folder.iterdir()))}"
        folder = _new_folder(self.folder / name)
        url = self.postgres.url
        ask(url, f"CREATE DATABASE {name} TEMPLATE {self.template}")
        defects = (defect,) if defect else ()
        places = [_new_folder(folder / str(number)) for number in range(worker_count + 1)]
        shops = [Workshop(place, database_url(url, name) + session, self.images, defects=defects) for place in places]
        listener = listen()
        payment_url = f"http://127.0.0.1:{port_of(listener)}"
        # The threads must outlive the programs: to the kernel a thread is the parent whose death ends them.
        with ThreadPoolExecutor(len(shops)) as starting:
            try:
                provider = starting.submit(shops[0].payment, latency_ms, listener=listener)
                started = [starting.submit(shop.web, payment_url, **settings) for shop in shops[1:]]
                workers = tuple(one.result() for one in started)
                log = self.postgres.data.parent / self.postgres.log_name
                yield Site(folder, shops[0].database_url, provider.result(), workers, log)
            finally:
                wait((provider, *started))
                for shop in shops:
                    shop.close()
        ask(url, f"DROP DATABASE {name} WITH (FORCE)")


def database_url(url: str, name: str) -> str:
    """The address of another database on the same server."""
    return url.rpartition("/")[0] + f"/{name}"


def _new_folder(folder: Path) -> Path:
    """Make a folder that the unprivileged user owns."""
    folder.mkdir()
    if RUN_AS:
        shutil.chown(folder, RUN_AS, group())
    return folder


def _accepts(port: int) -> bool:
    with socket.socket() as trial:
        return trial.connect_ex(("127.0.0.1", port)) == 0
