"""Installs nginx with apt where that is possible, and leaves no service running that the package started.

Used by `make demo` (`python -m lonjak.install_nginx`); needs the standard library only. Where it may not install, it
prints the command and succeeds all the same: the demo then runs without an edge.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

PACKAGE = "nginx"
INSTALL = ("apt-get", "install", "-y", "-q", "--no-install-recommends", PACKAGE)
UPDATE = ("apt-get", "update", "-q")
_SYSTEM_FOLDERS = "/usr/sbin:/usr/local/sbin:/sbin"
_PID_FILE = Path("/run/nginx.pid")
_APT_S = 240
_STOP_S = 10.0


def main() -> int:
    """Install nginx unless it is there; always 0, as the demo can do without."""
    if program := find_nginx():
        _say(f"nginx is installed: {program}")
    elif os.geteuid() != 0 or shutil.which("apt-get") is None:
        _say(f"nginx is not installed, and this user may not install it. Somebody who may types: {' '.join(INSTALL)}")
    else:
        _install()
    return 0


def find_nginx() -> str | None:
    """Where nginx is installed; a user's PATH often lacks the folders of system programs."""
    return shutil.which("nginx", path=f"{os.environ.get('PATH', os.defpath)}:{_SYSTEM_FOLDERS}")


def _install() -> None:
    before = service_pid()
    _say("installing nginx with apt")
    if _apt(INSTALL) or (_apt(UPDATE) and _apt(INSTALL)):
        stop_service(before)
        _say(f"nginx is installed: {find_nginx()}; its service is stopped and will not start by itself")
    else:
        _say(f"apt could not install nginx: the demo runs without an edge. The command was: {' '.join(INSTALL)}")


def _apt(command: tuple[str, ...]) -> bool:
    """Whether the command succeeded; what it says goes to standard error."""
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        result = subprocess.run(
            (*command, "-o", "DPkg::Lock::Timeout=60"), env=environment, stdout=sys.stderr, timeout=_APT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return result.returncode == 0


def service_pid() -> int | None:
    """The nginx that the system's pid file names, if it runs."""
    try:
        pid = int(_PID_FILE.read_text(encoding="ascii"))
        name = Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return None
    return pid if name == "nginx" else None


def stop_service(before: int | None) -> None:
    """Stop what the package started, now and at the next boot; an nginx that ran `before` is left alone."""
    if Path("/run/systemd/system").exists():
        _quietly("systemctl", "disable", "--now", "nginx.service")
    else:
        _quietly("update-rc.d", "nginx", "disable")
    started = service_pid()
    if started is None or started == before:
        return
    with contextlib.suppress(ProcessLookupError):
        os.kill(started, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_S
    while service_pid() == started and time.monotonic() < deadline:
        time.sleep(0.05)


def _quietly(*command: str) -> None:
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        subprocess.run(command, capture_output=True, timeout=30, check=False)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201  (this is a program)


if __name__ == "__main__":
    sys.exit(main())
