"""Processes that must not outlive each other: workers and their master, the master and whoever started it."""

import contextlib
import ctypes
import os
import signal

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_MASTER_NICENESS = 5  # a third of a worker's share of a processor for which both compete
_libc = ctypes.CDLL(None, use_errno=True)


class WorkerForks:
    """While armed, every process that this one forks ends with it and leaves its process group.

    Locust forks its `--processes` workers before any of its events could be used for this. Out of the group, a Ctrl-C
    in the terminal reaches the master only, which ends the run in order.
    """

    def __init__(self) -> None:
        self._armed = True
        self._parent_pid = os.getpid()
        os.register_at_fork(after_in_child=self._in_child)

    def disarm(self) -> None:
        """Leave forks alone from now on."""
        self._armed = False

    def _in_child(self) -> None:
        if not self._armed or os.getppid() != self._parent_pid:
            return
        self._armed = False
        os.setpgid(0, 0)
        die_with_parent(self._parent_pid)


def let_workers_go_first() -> None:
    """Give way to others on the same processors: what a master writes can wait, a session that is due cannot."""
    with contextlib.suppress(OSError):  # a container may forbid it
        os.nice(_MASTER_NICENESS)


def die_with_parent(parent_pid: int) -> None:
    """Let the kernel kill this process when its parent, known as `parent_pid`, ends (prctl(2), PR_SET_PDEATHSIG)."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:  # it ended before the call
        os._exit(1)
