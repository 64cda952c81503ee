"""Ends what a killed supervisor left behind: the processes named in stack.json, and what is left of their groups.

A process is only touched when pid and start time are those in the file; the rest of a group only while no other process
leads it. Control groups that are named there are removed once they are empty.
"""

import contextlib
import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path

from reference_shop.stack import control_groups, document
from reference_shop.stack.document import StackDocument
from reference_shop.stack.identity import ProcessIdentity, group_members

# The kernel has told the processes already that their supervisor is gone; this is for those that did not listen.
_PATIENCE_S = 4.0
_POLL_S = 0.05


def clear(folder: Path) -> int:
    """End the processes that the stack.json in `folder` names, within about 5 s; returns how many there were."""
    stack = document.read(folder)
    if stack is None:
        return 0
    left = _survivors(stack)
    for process in left:
        _signal(process, _polite_signal(stack, process))
    if not wait_until_gone(left, _PATIENCE_S):
        for process in _survivors(stack):
            _signal(process, signal.SIGKILL)
        wait_until_gone(_survivors(stack), 1.0)
    for group in stack.control_groups:
        control_groups.remove(Path(group))
    return len(left)


def wait_until_gone(processes: Iterable[ProcessIdentity], within_s: float) -> bool:
    """Whether all of them ended in time."""
    waiting, deadline = list(processes), time.monotonic() + within_s
    while (waiting := [process for process in waiting if process.alive]) and time.monotonic() < deadline:
        time.sleep(_POLL_S)
    return not waiting


def _survivors(stack: StackDocument) -> list[ProcessIdentity]:
    return [survivor for record in stack.processes for survivor in _group_of(record.identity)]


def _group_of(leader: ProcessIdentity) -> list[ProcessIdentity]:
    """The process itself and its group, as far as they live; nothing when the pid belongs to another process by now."""
    now = ProcessIdentity.of(leader.pid)
    if now is not None and now != leader:
        return []
    return [member for member in group_members(leader.pid) if member.start_time >= leader.start_time]


def _polite_signal(stack: StackDocument, process: ProcessIdentity) -> signal.Signals:
    """PostgreSQL would wait for its clients on SIGTERM."""
    databases = {record.pid for record in stack.processes if record.tier == "database"}
    return signal.SIGINT if process.pid in databases else signal.SIGTERM


def _signal(process: ProcessIdentity, number: signal.Signals) -> None:
    """Signal this very process: through a descriptor, so that a new owner of its pid cannot be hit."""
    with contextlib.suppress(OSError):
        descriptor = os.pidfd_open(process.pid)
        try:
            if process.alive:
                signal.pidfd_send_signal(descriptor, number)
        finally:
            os.close(descriptor)
