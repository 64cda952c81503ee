"""Processes of the stack as faults find them: killed for good, and waited for until their role is filled again.

Only processes that stack.json names are touched, and only while pid and start time still name the same process.
"""

import os
import signal

from loadgen.errors import UsageProblem
from loadgen.faults.fault import Timer
from loadgen.stack import Stack, StackProcess, read_stack

_POLL_S = 0.1


def kill(victim: StackProcess) -> None:
    """End a process at once, unless its number has come to mean another one."""
    handle = os.pidfd_open(victim.pid)  # from here on the number cannot come to mean another process
    try:
        if victim.alive:
            signal.pidfd_send_signal(handle, signal.SIGKILL)
    finally:
        os.close(handle)


def wait_for_successor(stack: Stack, victim: StackProcess, timer: Timer) -> StackProcess:
    """The process that fills the role once it is ready; looks as long as there is none."""
    while True:
        timer.sleep(_POLL_S)
        try:
            processes = read_stack(stack.path).processes
        except UsageProblem:
            continue  # being rewritten
        for process in processes:
            same = (process.pid, process.start_time) == (victim.pid, victim.start_time)
            if process.role == victim.role and not same and process.ready and process.alive:
                return process
