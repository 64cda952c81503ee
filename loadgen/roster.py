"""The workers as the master knows them: their clocks, their names in a run, and whether they are still there."""

import time

import gevent
from locust.rpc.protocol import Message
from locust.runners import STATE_MISSING, LocalRunner, MasterRunner

from loadgen.manifest import WorkerEntry
from loadgen.messages import CLOCK, HELLO, JOINED, ClockReading, Hello, Joined, to_wire

_JOIN_LIMIT_S = 2.0
_LOCAL = "local"  # Locust's name for the one worker of a lone process


class Roster:
    """Workers by Locust's id; those of the current run have a name: worker-1, worker-2, …"""

    def __init__(self, runner: MasterRunner | LocalRunner) -> None:
        self.names: dict[str, str] = {}
        self._runner = runner
        self._joined: dict[str, Joined] = {}

    def register(self) -> None:
        """Listen to workers that introduce themselves."""
        self._runner.register_message(HELLO, self._on_hello)
        self._runner.register_message(JOINED, self._on_joined)

    def call(self) -> tuple[WorkerEntry, ...]:
        """Name the workers that take part in a run beginning now, in their order; waits shortly for late words."""
        ready = self._ready()
        deadline = time.monotonic() + _JOIN_LIMIT_S
        while not all(worker in self._joined for worker in ready) and time.monotonic() < deadline:
            gevent.sleep(0.02)
            ready = self._ready()
        self.names = {worker: f"worker-{index + 1}" for worker, index in ready.items() if worker in self._joined}
        known = ((name, self._joined[worker]) for worker, name in self.names.items())
        return tuple(WorkerEntry(name, joined.pid, joined.clock_offset_s) for name, joined in known)

    def present(self) -> set[str]:
        """Names of the run's workers that Locust has word of."""
        return {self.names[worker] for worker in self._ready() if worker in self.names}

    def _ready(self) -> dict[str, int]:
        """Ids of the workers that are there, with their lasting numbers, in order."""
        if isinstance(self._runner, LocalRunner):
            return {_LOCAL: 0}
        runner = self._runner
        there = [client.id for client in runner.clients.all if client.state != STATE_MISSING]
        numbers = {worker: runner.worker_indexes[worker] for worker in there}
        return dict(sorted(numbers.items(), key=lambda entry: entry[1]))

    def _on_hello(self, *, msg: Message, **_environment: object) -> None:
        reading = ClockReading(asked_at=Hello(**msg.data).sent_at, master_at=time.time())
        self._runner.send_message(CLOCK, to_wire(reading), client_id=msg.node_id)

    def _on_joined(self, *, msg: Message, **_environment: object) -> None:
        self._joined[msg.node_id] = Joined(**msg.data)
