"""Runs a program of the shop and records what it fetches from the interpreter's folders once it has dropped privileges.

    python -P watched.py FOLDER MODULE

appends to FOLDER/MODULE one line per module looked for and per file opened in the standard library, among the installed
packages or in the clone: all of it may be out of the unprivileged user's reach (docs/adr/0003).
"""

import os
import runpy
import sys
import sysconfig
from pathlib import Path

from reference_shop import privileges

OUT_OF_REACH = tuple(
    f"{folder}/"
    for folder in (
        *(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")),
        Path(privileges.__file__).parent,
    )
)


def main() -> None:
    """Run the module as `python -m` does."""
    folder, module = sys.argv[1:]
    drop = privileges.drop

    def drop_and_watch(run_as: str | None) -> None:
        watch(Path(folder) / module)
        drop(run_as)

    privileges.drop = drop_and_watch
    sys.argv = [module]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def watch(record: Path) -> None:
    """Write down from now on what is imported or opened."""
    descriptor = os.open(record, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    class Witness:
        """Is asked first for every module that is not loaded, and never knows it."""

        @staticmethod
        def find_spec(name: str, _path: object = None, _target: object = None) -> None:
            os.write(descriptor, f"import {name}\n".encode())

    def overhear(event: str, args: tuple[object, ...]) -> None:
        path = args[0] if event == "open" else None
        # A traceback shows lines of source, and does without those that cannot be read.
        if isinstance(path, str) and path.startswith(OUT_OF_REACH) and not path.endswith(".py"):
            os.write(descriptor, f"open {path}\n".encode())

    sys.meta_path.insert(0, Witness)
    sys.addaudithook(overhear)


if __name__ == "__main__":
    main()
