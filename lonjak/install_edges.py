"""Installs the programs that edges need, where that is possible with apt; no service that a package starts stays up.

`python -m lonjak.install_edges` installs nginx, for `make demo`; with `--all` also what the other edges and the
benches can use, and what tests hold documents against, for `make test`. Needs the standard library only. Where it may
not install, it prints the command and succeeds all the same: what needs a missing program is then left out.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

INSTALL = ("apt-get", "install", "-y", "-q", "--no-install-recommends")
UPDATE = ("apt-get", "update", "-q")
_SYSTEM_FOLDERS = "/usr/sbin:/usr/local/sbin:/sbin"
_APT_S = 240
_STOP_S = 10.0
_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Package:
    """A package, and what shows that it is there, or the same from elsewhere: a program, or a file (with wildcards)."""

    name: str
    program: str | None = None
    file: str | None = None

    @property
    def installed(self) -> bool:
        """Whether it is there; a user's PATH often lacks the folders of system programs."""
        if self.program:
            path = f"{os.environ.get('PATH', os.defpath)}:{_SYSTEM_FOLDERS}"
            return shutil.which(self.program, path=path) is not None
        return any(Path("/").glob((self.file or "").removeprefix("/")))


@dataclass(frozen=True, slots=True)
class Service:
    """A service that a package starts by itself, as the process whose number stands in `pid_file`."""

    name: str
    package: str
    program: str
    pid_file: Path

    def pid(self) -> int | None:
        """The process that the pid file names, if it runs."""
        try:
            pid = int(self.pid_file.read_text(encoding="ascii"))
            running = Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
        except (OSError, ValueError):
            return None
        return pid if running == self.program else None


NGINX = Package("nginx", program="nginx")
ALL = (
    NGINX,
    Package("varnish", program="varnishd"),
    Package("varnish-modules", file="/usr/lib/*/varnish/vmods/libvmod_xkey.so"),
    Package("libnginx-mod-http-modsecurity", file="/usr/lib/nginx/modules/ngx_http_modsecurity_module.so"),
    Package("modsecurity-crs", file="/usr/share/modsecurity-crs/rules/*.conf"),
    Package("wrk", program="wrk"),
    Package("openssl", program="openssl"),
    # No edge needs these: tests hold documents against what others read in them.
    Package("libxml2-utils", program="xmllint"),
    Package("python3-yaml", file="/usr/lib/python3/dist-packages/yaml/__init__.py"),
)
SERVICES = (
    Service("varnishncsa", "varnish", "varnishncsa", Path("/run/varnishncsa/varnishncsa.pid")),
    Service("varnish", "varnish", "varnishd", Path("/run/varnishd.pid")),
    Service("nginx", "nginx", "nginx", Path("/run/nginx.pid")),
)


def main(arguments: Sequence[str]) -> int:
    """Install what is not there; always 0, as everything can do without."""
    wanted = ALL if "--all" in arguments else (NGINX,)
    names = tuple(package.name for package in wanted if not package.installed)
    if not names:
        _say(f"the edges' programs are installed: {', '.join(package.name for package in wanted)}")
    elif os.geteuid() != 0 or shutil.which("apt-get") is None:
        _say(f"not installed: {', '.join(names)}; this user may not do it. Somebody who may types: {_command(names)}")
    else:
        _install(names)
    return 0


def _install(names: Sequence[str]) -> None:
    before = {service: service.pid() for service in SERVICES if service.package in names}
    _say(f"installing with apt: {', '.join(names)}")
    installed = _apt((*INSTALL, *names)) or (_apt(UPDATE) and _apt((*INSTALL, *names)))
    for service, pid in before.items():  # after a failure, too: it may have come half the way
        stop_service(service, pid)
    if installed:
        _say("installed; the packages' services are stopped and will not start by themselves")
    else:
        _say(f"apt could not install them: what needs them is left out. The command was: {_command(names)}")


def _command(names: Iterable[str]) -> str:
    return " ".join((*INSTALL, *names))


def _apt(command: Sequence[str]) -> bool:
    """Whether the command succeeded; what it says goes to standard error."""
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        result = subprocess.run(
            (*command, "-o", "DPkg::Lock::Timeout=60"), env=environment, stdout=sys.stderr, timeout=_APT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return result.returncode == 0


def stop_service(service: Service, before: int | None) -> None:
    """Stop what a package started, now and at the next boot; a process that ran `before` is left alone."""
    if Path("/run/systemd/system").exists():
        _quietly("systemctl", "disable", "--now", f"{service.name}.service")
    else:
        _quietly("update-rc.d", service.name, "disable")
    started = service.pid()
    if started is None or started == before:
        return
    with contextlib.suppress(ProcessLookupError):
        os.kill(started, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_S
    while service.pid() == started and time.monotonic() < deadline:
        time.sleep(_POLL_S)


def _quietly(*command: str) -> None:
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        subprocess.run(command, capture_output=True, timeout=30, check=False)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201  (this is a program)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
