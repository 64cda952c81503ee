"""The provider's memory: a file of JSON lines, each on the disk before anybody hears of it.

All lines that wait while one flush runs are written by the next, so the disk's pace limits latency, not throughput.
"""

import asyncio
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from reference_shop import metrics


@dataclass(frozen=True, slots=True)
class Charge:
    """How a key ended: `captured`, `declined`, `voided` or `refunded`; `at` (epoch seconds) is when it got there.

    `digest` stands for amount and card; the card is not kept. `order_id` is 0 for a key that was voided before it was
    charged, and like `at` for the charges of journals that are older than these two.
    """

    key: str
    state: str
    amount_idr: int
    digest: str
    order_id: int = 0
    at: float = 0.0


class Journal:
    """Appends charges durably. Open with `open_journal`."""

    def __init__(self, descriptor: int) -> None:
        """Take an open file descriptor in append mode."""
        self._descriptor = descriptor
        self._waiting: list[tuple[bytes, asyncio.Future[None]]] = []
        self._flushing: asyncio.Task[None] | None = None

    async def append(self, charge: Charge) -> None:
        """Return when the charge is on the disk; raises OSError when the disk refuses."""
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((json.dumps(asdict(charge)).encode() + b"\n", written))
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self._flush())
        await written

    async def _flush(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                with metrics.journal_flushes.time():
                    await asyncio.to_thread(self._write, b"".join(line for line, _ in batch))
            except OSError as error:
                for _, written in batch:
                    written.set_exception(error)
            else:
                for _, written in batch:
                    written.set_result(None)

    def _write(self, lines: bytes) -> None:
        rest = memoryview(lines)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]
        os.fdatasync(self._descriptor)


def open_journal(path: Path) -> tuple[Journal, dict[str, Charge]]:
    """Open or create the file; return it with what it remembers: of each key, its last line.

    A last line that a crash tore is cut off: nobody heard of it.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    whole = path.read_bytes()
    whole = whole[: whole.rfind(b"\n") + 1]
    os.ftruncate(descriptor, len(whole))
    return Journal(descriptor), {charge.key: charge for charge in _read(whole)}


def _read(lines: bytes) -> Iterator[Charge]:
    for line in lines.splitlines():
        yield Charge(**json.loads(line))
