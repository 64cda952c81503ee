"""A web server that freezes once and otherwise takes exactly its time: `python -m lonjak.bench.freezing_server`.

One request a connection, one after the other, in the order in which they came. A request is answered `--service-s`
after it was begun, by schedule: what a busy machine does to one answer is not added to those behind it. `--freeze-at-s`
after the first request the process sleeps for `--freeze-s`: it accepts, reads and answers nothing, and the kernel keeps
who comes. The first line on stdout is the port; when stdin is closed the server ends, and its last line is a Report.
"""

import argparse
import gc
import json
import select
import socket
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from lonjak.bench.queueing import Freeze

BACKLOG = 4096  # the kernel cuts it to net.core.somaxconn
LATE_S = 0.001
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
_REQUEST_BYTES = 65536
_SILENT_S = 1.0  # whoever connects and says nothing holds up the line for no longer
_SPIN_S = 0.0003  # how much too late a sleep may end


@dataclass(frozen=True, slots=True)
class Report:
    """What the server did; the freeze in seconds since the epoch; late: answered a millisecond after its instant.

    `starved_s`: how long it was ready to run and its processor was not there for it.
    """

    answered_count: int
    late_count: int
    latest_s: float
    starved_s: float
    frozen_from_at: float
    frozen_until_at: float

    @classmethod
    def parse(cls, line: str) -> Self:
        """The report that the server's last line holds."""
        return cls(**json.loads(line))


class FreezingServer:
    """Serves one connection after the other until stdin is closed; all instants are of `time.monotonic`."""

    def __init__(self, service_s: float, freeze_at_s: float, freeze_s: float) -> None:
        self._service_s = service_s
        self._freeze = Freeze(float("inf"), freeze_s)
        self._freeze_at_s = freeze_at_s
        self._frozen = False
        self._free_s = 0.0
        self._answered_count = self._late_count = 0
        self._latest_s = 0.0
        self._listener = _listen()
        self._poll = select.poll()
        self._poll.register(self._listener, select.POLLIN)
        self._poll.register(sys.stdin, select.POLLIN | select.POLLHUP)

    @property
    def port(self) -> int:
        """Where it listens, on loopback."""
        return int(self._listener.getsockname()[1])

    def serve(self) -> None:
        """Answer whoever comes until stdin is closed."""
        while True:
            connection = self._accept()
            waited = connection is not None
            while connection is None:
                if not self._wait_for_arrival():
                    return
                connection = self._accept()
            with connection:
                self._answer(connection, waited=waited)

    def report(self) -> Report:
        """What was done so far."""
        to_epoch_s = _epoch_s_at_zero()
        frozen_from_at, frozen_until_at = self._freeze.from_s + to_epoch_s, self._freeze.until_s + to_epoch_s
        return Report(
            self._answered_count, self._late_count, self._latest_s, starved_s(), frozen_from_at, frozen_until_at
        )

    def _accept(self) -> socket.socket | None:
        self._freeze_when_due()
        try:
            return self._listener.accept()[0]
        except BlockingIOError:
            return None

    def _wait_for_arrival(self) -> bool:
        """Sleep until somebody comes or the freeze begins; False when stdin was closed."""
        left_s = float("inf") if self._frozen else self._freeze.from_s - time.monotonic()
        ready = self._poll.poll(None if left_s == float("inf") else max(0.0, left_s * 1000))
        return sys.stdin.fileno() not in (descriptor for descriptor, _ in ready)

    def _freeze_when_due(self) -> None:
        if not self._frozen and time.monotonic() >= self._freeze.from_s:
            self._frozen = True
            _sleep_until(self._freeze.until_s)
            self._free_s = max(self._free_s, self._freeze.until_s)

    def _answer(self, connection: socket.socket, *, waited: bool) -> None:
        """Answer a request in its time. Who had waited was begun when the one before had left, else now."""
        connection.settimeout(_SILENT_S)
        try:
            if not connection.recv(_REQUEST_BYTES):
                return  # a look at whether somebody is there
        except OSError:
            return
        now_s = time.monotonic()
        if not self._answered_count:
            self._freeze = Freeze(now_s + self._freeze_at_s, self._freeze.lasts_s)
        self._free_s = self._freeze.done_s(self._free_s if waited and self._free_s else now_s, self._service_s)
        _sleep_until(self._free_s)
        self._note(time.monotonic() - self._free_s)
        try:
            connection.sendall(_ANSWER)
        except OSError:
            return

    def _note(self, late_s: float) -> None:
        self._answered_count += 1
        self._late_count += late_s > LATE_S
        self._latest_s = max(self._latest_s, late_s)


def starved_s(pid: int | str = "self") -> float:
    """How long a process has been ready to run but had to wait for a processor, in seconds; 0 when it is gone.

    The second figure of /proc/<pid>/schedstat (Linux, Documentation/scheduler/sched-stats.rst).
    """
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[1]) / 1e9
    except (OSError, IndexError):
        return 0.0


def _epoch_s_at_zero() -> float:
    """What `time.time` showed when `time.monotonic` was 0, from the pair of readings that nothing came between."""
    pairs = []
    for _ in range(50):
        before_s, now, after_s = time.monotonic(), time.time(), time.monotonic()
        pairs.append((after_s - before_s, now - (before_s + after_s) / 2))
    return min(pairs)[1]


def _listen() -> socket.socket:
    listener = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
    # In the order in which requests, not connections, came.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 1)
    listener.setblocking(False)
    return listener


def _sleep_until(instant_s: float) -> None:
    left_s = instant_s - time.monotonic()
    if left_s > _SPIN_S:
        time.sleep(left_s - _SPIN_S)
    while time.monotonic() < instant_s:
        pass


def main() -> None:
    """Serve until stdin is closed."""
    parser = argparse.ArgumentParser(prog="python -m lonjak.bench.freezing_server", description=__doc__)
    for name in ("--service-s", "--freeze-at-s", "--freeze-s"):
        parser.add_argument(name, type=float, required=True, metavar="SECONDS")
    asked = parser.parse_args()
    server = FreezingServer(asked.service_s, asked.freeze_at_s, asked.freeze_s)
    gc.disable()
    print(server.port, flush=True)  # noqa: T201
    server.serve()
    print(json.dumps(asdict(server.report())), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
