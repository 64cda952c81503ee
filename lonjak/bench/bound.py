"""Become another program, tied to processors and to its starter's life: `python -m lonjak.bench.bound CPUS SIGNAL …`.

In between, and not after the start, since a program counts its processors when it begins; and by a process of its own,
since code between fork and exec is unsafe where threads run, as the progress display's do.
"""

import os
import resource
import signal
import sys

from reference_shop.privileges import die_with_parent


def command(cpus: tuple[int, ...], orphan_signal: signal.Signals, program: tuple[str, ...]) -> tuple[str, ...]:
    """How to start `program` on these processors; when its starter is gone it gets `orphan_signal`."""
    numbers = ",".join(map(str, cpus))
    return (sys.executable, "-m", "lonjak.bench.bound", numbers, orphan_signal.name, *program)


def main() -> None:
    """Tie this process down, allow it every file descriptor that it may have, and become the program."""
    cpus, orphan_signal, *program = sys.argv[1:]
    os.sched_setaffinity(0, {int(number) for number in cpus.split(",")})
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    die_with_parent(signal.Signals[orphan_signal])
    os.execvp(program[0], program)  # noqa: S606  (no shell is wanted)


if __name__ == "__main__":
    main()
