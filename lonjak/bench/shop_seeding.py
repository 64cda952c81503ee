"""Section `seeding`: how long a catalogue of a million products takes to be made, and in how much memory.

A whole stack is started as any other; the seed's process and the database's are weighed until the seed ends.
"""

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from loadgen.errors import EnvironmentProblem
from lonjak.bench.section import Section, Settings
from lonjak.bench.shop_stack import running_stack, worker_alone
from lonjak.progress import Progress
from reference_shop.stack import client, folder
from reference_shop.stack.identity import ProcessIdentity
from reference_shop.stack.settings import StackSettings

PRODUCTS = 1_000_000
_LOOK_EVERY_S = 0.1
_HEADINGS = ("products", "seconds", "memory of seed", "of PostgreSQL", "of both", "database on disk")


@dataclass(frozen=True, slots=True)
class Seeding:
    """From the start of the seed's program to its end; memory is the most that was seen, shared pages counted once.

    disk_bytes: the database's files with its write-ahead log.
    """

    product_count: int
    seconds: float
    seed_bytes: int
    database_bytes: int
    both_bytes: int
    disk_bytes: int


def seeding(settings: Settings, progress: Progress) -> Section:
    """Fill one shop."""
    count = settings.share_of(PRODUCTS)
    wanted = worker_alone(StackSettings(products=count))
    with _weighing() as scales, running_stack(wanted, progress, "seeding") as stack:
        (place,) = folder.stack_folders(stack.port)
        found = scales.seeding(count, _size_bytes(place / "database"))
    sentence = (
        "From the start of the seed's program to its end, indexes and pictures included (pictures of the same seed are "
        "drawn once); memory is the most that was seen, shared pages counted once."
    )
    return Section("seeding", sentence, _HEADINGS, (_line(found),), (found,))


class _Scales:
    """Weighs the seed and the database of the stack that this process owns, for as long as the seed is at work."""

    def __init__(self) -> None:
        self._seed: ProcessIdentity | None = None
        self._ended_s = 0.0
        self._most = (0, 0, 0)

    def keep_weighing(self, stop: threading.Event) -> None:
        """Look until told to stop."""
        while not stop.wait(_LOOK_EVERY_S):
            self._look()

    def seeding(self, product_count: int, disk_bytes: int) -> Seeding:
        """What was seen; EnvironmentProblem when the seed was not."""
        if self._seed is None or not self._ended_s:
            raise EnvironmentProblem("the seed was not seen at work: start the bench again on a quiet machine")
        began_s = self._seed.start_time / os.sysconf("SC_CLK_TCK")
        return Seeding(product_count, self._ended_s - began_s, *self._most, disk_bytes)

    def _look(self) -> None:
        if self._seed and not self._seed.alive:
            self._ended_s = self._ended_s or time.clock_gettime(time.CLOCK_BOOTTIME)
            return
        ours = (stack for stack in client.stacks() if stack.owner and stack.owner.pid == os.getpid())
        found = {process.role: process.identity for stack in ours for process in stack.processes}
        if "seed" in found:
            self._seed = found["seed"]
            seed, database = (_proportional_bytes(found[role].pid) for role in ("seed", "database"))
            self._most = (max(self._most[0], seed), max(self._most[1], database), max(self._most[2], seed + database))


@contextmanager
def _weighing() -> Iterator[_Scales]:
    """Weigh in a thread: the start of a stack keeps this one busy."""
    scales, stop = _Scales(), threading.Event()
    thread = threading.Thread(target=scales.keep_weighing, args=(stop,), daemon=True)
    thread.start()
    try:
        yield scales
    finally:
        stop.set()
        thread.join()


def _proportional_bytes(pid: int) -> int:
    """Memory of a process and its descendants; nothing for who is gone meanwhile."""
    total = 0
    with contextlib.suppress(psutil.NoSuchProcess):
        first = psutil.Process(pid)
        for process in (first, *first.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                total += process.memory_full_info().pss
    return total


def _size_bytes(place: Path) -> int:
    """What a folder's files take on the disk."""
    total = 0
    for path in place.rglob("*"):
        with contextlib.suppress(FileNotFoundError):  # a database removes files as it goes
            total += path.stat().st_blocks * 512
    return total


def _line(found: Seeding) -> tuple[str, ...]:
    memory = (found.seed_bytes, found.database_bytes, found.both_bytes, found.disk_bytes)
    return (f"{found.product_count:,}", f"{found.seconds:.1f}", *(f"{each / (1 << 20):,.0f} MiB" for each in memory))
