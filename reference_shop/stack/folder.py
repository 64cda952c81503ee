"""Where a stack keeps its state: a private folder per port below the system's temporary one, never in the clone.

<tempdir>/lonjak-<uid>/       0700; 0711 when root lets an unprivileged user run the processes
    postgresql-…/             copied binaries, where that user could not reach the installed ones
    pictures-<seed>-…/        product pictures, drawn once and used by all stacks with that seed
    stack-<port>/             locked by its supervisor for as long as that lives
        stack.json  logs/     root's or the user's own
        holds/                likewise
        database/ access/ …   owned by the user that the processes run as
"""

import fcntl
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from reference_shop.stack.problems import StackProblem

STATE_VARIABLE = "LONJAK_STATE_DIR"
_PREFIX = "stack-"


@dataclass(frozen=True, slots=True)
class StackFolder:
    """The locked folder of one stack; the lock ends with `lock_fd`, that is with the process at the latest."""

    path: Path
    lock_fd: int
    run_as: str | None

    def open_to_processes(self, name: str) -> Path:
        """A subfolder (made when missing) that only the user who runs the processes may enter."""
        return self._open_to_processes(self.path / name)

    def shared_with_other_stacks(self, name: str) -> Path:
        """A folder beside this one (made when missing), likewise, for what later stacks can use again."""
        return self._open_to_processes(self.path.parent / name)

    def _open_to_processes(self, folder: Path) -> Path:
        folder.mkdir(mode=0o700, exist_ok=True)
        self.hand_over(folder)
        return folder

    def hand_over(self, path: Path) -> None:
        """Give a file or folder of ours to the user who runs the processes."""
        if self.run_as is not None:
            user = pwd.getpwnam(self.run_as)
            os.chown(path, user.pw_uid, user.pw_gid)

    def log(self, name: str) -> Path:
        """Where the process `name` logs; opened by the supervisor, so nobody else needs to reach it."""
        logs = self.path / "logs"
        logs.mkdir(mode=0o700, exist_ok=True)
        return logs / f"{name}.log"

    @property
    def holds(self) -> Path:
        """The folder for `reference_shop.stack.holds`, made when missing; the stack's owner writes into it."""
        holds = self.path / "holds"
        holds.mkdir(mode=0o700, exist_ok=True)
        return holds

    def remove(self) -> None:
        """Take the folder away and let the lock go."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self.lock_fd)


def state_root() -> Path:
    """LONJAK_STATE_DIR, else a folder of this user's below the system's temporary one."""
    given = os.environ.get(STATE_VARIABLE)
    return Path(given).absolute() if given else Path(tempfile.gettempdir()).absolute() / f"lonjak-{os.getuid()}"


def prepare_root(run_as: str | None) -> Path:
    """The state root, made when missing. Raises StackProblem when it is not safely ours or `run_as` cannot enter it."""
    root = state_root()
    mode = 0o700 if run_as is None else 0o711
    try:
        root.mkdir(mode=mode, parents=bool(os.environ.get(STATE_VARIABLE)), exist_ok=True)
        _refuse_foreign(root)
        root.chmod(mode)
    except OSError as error:
        raise StackProblem(f"the state folder {root} cannot be made: {error.strerror}") from None
    if run_as is not None and not may_enter(run_as, root):
        raise StackProblem(
            f"the user {run_as} cannot enter the state folder {root}: set {STATE_VARIABLE} to one that it can reach"
        )
    return root


def claim(root: Path, port: int, run_as: str | None, clear: Callable[[Path], object]) -> StackFolder:
    """The folder of the stack on `port`, locked and empty; `clear` first ends what a dead supervisor left there.

    Raises StackProblem when a living supervisor holds it.
    """
    path = root / f"{_PREFIX}{port}"
    path.mkdir(mode=0o700, exist_ok=True)
    lock_fd = lock(path)
    if lock_fd is None:
        raise StackProblem(
            f"a stack is already there for port {port}: `lonjak shop down --port {port}` stops it, "
            f"or `lonjak edge down --port {port}`"
        )
    clear(path)
    for entry in path.iterdir():
        shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
    path.chmod(0o700 if run_as is None else 0o711)
    return StackFolder(path, lock_fd, run_as)


def lock(path: Path) -> int | None:
    """A descriptor that locks the folder; None when somebody else holds it, or it has just been taken away."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if path.stat().st_ino == os.fstat(descriptor).st_ino:
            return descriptor
    except OSError:
        pass
    os.close(descriptor)
    return None


def stack_folders(port: int | None = None) -> list[Path]:
    """Folders of this user's stacks, running or left behind; only that of `port` when given."""
    pattern = f"{_PREFIX}*" if port is None else f"{_PREFIX}{port}"
    return sorted(path for path in state_root().glob(pattern) if path.is_dir() and not path.is_symlink())


def may_enter(user: str, path: Path) -> bool:
    """Whether `user` can enter a folder (or execute a program): tried out, as all parents and more have a say."""
    entry = pwd.getpwnam(user)
    trial = subprocess.run(
        ["test", "-x", path], user=entry.pw_uid, group=entry.pw_gid, extra_groups=[], cwd="/", check=False
    )
    return trial.returncode == 0


def _refuse_foreign(root: Path) -> None:
    """Somebody else may have put a link or a folder there before: all may write to the temporary folder."""
    status = root.lstat()
    if root.is_symlink():
        raise StackProblem(f"the state folder {root} is a symbolic link: remove it, or set {STATE_VARIABLE}")
    if status.st_uid != os.geteuid():
        raise StackProblem(
            f"the state folder {root} belongs to user id {status.st_uid}: set {STATE_VARIABLE} to one of yours"
        )
