"""Drawing a run's documents in a process of its own, while the next shop of a study starts.

It keeps to the generator's processors, which have nothing to do then; whoever measures next waits for it first.
"""

import os
import subprocess
import sys
from collections.abc import Sequence

from loadgen.rundir import RunDirectory


class Drawing:
    """`lonjak report` of one run at a time."""

    def __init__(self, cpus: Sequence[int]) -> None:
        self._cpus = cpus
        self._process: subprocess.Popen[bytes] | None = None

    def begin(self, run: RunDirectory) -> None:
        """Begin to draw a run; one that is being drawn is waited for."""
        self.wait()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "lonjak", "report", str(run.path.resolve())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # a Ctrl-C in the terminal is this process's to handle
        )
        os.sched_setaffinity(self._process.pid, self._cpus)

    def wait(self) -> None:
        """Until nothing is being drawn. What could not be drawn shows by its documents: they are missing."""
        if self._process:
            self._process.wait()
            self._process = None

    def abandon(self) -> None:
        """End what is being drawn; its documents are whole or missing."""
        if self._process:
            self._process.kill()
            self.wait()
