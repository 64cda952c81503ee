"""Who a process of the stack runs as, and that it does not outlive the supervisor that started it.

Every program of the shop calls `drop` once it has imported all it needs: the interpreter and the clone may stand in a
folder that only root can enter, where the unprivileged user could import nothing afterwards (docs/adr/0003).
"""

import ctypes
import os
import pwd
import signal

PARENT_VARIABLE = "LONJAK_SUPERVISOR_PID"
_PR_SET_PDEATHSIG = 1  # prctl(2)


def drop(run_as: str | None) -> None:
    """Become `run_as`, for good, and keep dying with the parent; nothing happens when it is None or this is not root.

    Raises KeyError when there is no such user.
    """
    if run_as is None or os.geteuid() != 0:
        return
    user = pwd.getpwnam(run_as)
    os.setgroups([user.pw_gid])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    # The kernel forgets the parent-death signal when the user changes.
    die_with_parent(signal.SIGTERM)


def die_with_parent(with_signal: signal.Signals) -> None:
    """Let the kernel send `with_signal` to this process when the process that started it ends, however it ends.

    Sends it at once when the parent named in LONJAK_SUPERVISOR_PID is gone already. Raises OSError where the kernel
    refuses.
    """
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(with_signal), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    parent = os.environ.get(PARENT_VARIABLE)
    if parent is not None and int(parent) != os.getppid():
        os.kill(os.getpid(), with_signal)
