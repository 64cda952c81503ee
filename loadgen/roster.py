"""The workers as the master knows them: versions, clocks, their names in a run, and whether they are still there."""

import time

import gevent
from locust.rpc.protocol import Message
from locust.runners import STATE_MISSING, LocalRunner, MasterRunner

from loadgen.errors import EnvironmentProblem
from loadgen.manifest import WorkerEntry
from loadgen.messages import CLOCK, HELLO, JOINED, ClockReading, Hello, Joined, Version, to_wire

_JOIN_LIMIT_S = 2.0
_LOCAL = "local"  # Locust's name for the one worker of a lone process


class Roster:
    """Workers by Locust's id; those of the current run have a name: worker-1, worker-2, …"""

    def __init__(self, runner: MasterRunner | LocalRunner) -> None:
        self.names: dict[str, str] = {}
        self._runner = runner
        self._versions: dict[str, Version] = {}
        self._joined: dict[str, Joined] = {}

    def register(self) -> None:
        """Listen to workers that introduce themselves."""
        self._runner.register_message(HELLO, self._on_hello)
        self._runner.register_message(JOINED, self._on_joined)

    def call(self) -> tuple[WorkerEntry, ...]:
        """Name the workers that take part in a run beginning now, in their order. Raises what `check` raises."""
        self.names = {worker: f"worker-{index + 1}" for worker, index in self.check().items()}
        known = ((name, self._joined[worker]) for worker, name in self.names.items())
        return tuple(WorkerEntry(name, joined.pid, joined.clock_offset_s) for name, joined in known)

    def check(self) -> dict[str, int]:
        """The workers that are there, with their lasting numbers; waits shortly for late words.

        Raises EnvironmentProblem for one that runs another version, or nothing of ours: what it sent, nobody counted.
        """
        own, deadline = Version.own(), time.monotonic() + _JOIN_LIMIT_S
        while True:
            ready = self._ready()
            strangers = [worker for worker in ready if self._versions.get(worker, own) != own]
            silent = [worker for worker in ready if worker not in self._joined]
            # Even strangers are told only when all are past their start: Locust's worker would not hear it during that.
            told = strangers and self._versions.keys() >= ready.keys()
            if told or not silent or time.monotonic() >= deadline:
                break
            gevent.sleep(0.02)
        if strangers:
            raise EnvironmentProblem(
                f"worker {_named(strangers)} runs {self._versions[strangers[0]]}, but this master runs {own}: nothing "
                "was sent; install the same version on every machine and start the workers again"
            )
        if silent:
            raise EnvironmentProblem(
                f"worker {_named(silent)} did not introduce itself within {_JOIN_LIMIT_S:g} s: nothing was sent; start "
                "it with the master's locustfiles and version of Lonjak"
            )
        return ready

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
        hello = Hello.from_wire(msg.data)
        self._versions[msg.node_id] = hello.version
        reading = ClockReading(asked_at=hello.sent_at, master_at=time.time())
        self._runner.send_message(CLOCK, to_wire(reading), client_id=msg.node_id)

    def _on_joined(self, *, msg: Message, **_environment: object) -> None:
        self._joined[msg.node_id] = Joined(**msg.data)


def _named(workers: list[str]) -> str:
    return workers[0] + (f" (and {len(workers) - 1} more)" if len(workers) > 1 else "")
