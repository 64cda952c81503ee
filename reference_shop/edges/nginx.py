"""The `nginx` edge: from its template to a configuration in a folder of its own, and the command that runs it there."""

import os
import shutil
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import jinja2

CONFIGURATION = "nginx.conf"
ACCESS_LOG = "access.jsonl"
INSTALL_COMMAND = "apt-get install -y --no-install-recommends nginx"

# A user's PATH often lacks the folders of system programs.
_SYSTEM_FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/sbin")


@dataclass(frozen=True, slots=True)
class NginxEdge:
    """nginx in front of one origin on loopback; `worker_count` processes serve.

    `concurrency` is how many requests they have in work at once, all together; None: as many as come.
    """

    port: int
    origin_port: int
    worker_count: int
    concurrency: int | None = None

    def configuration(self) -> str:
        """The text of nginx.conf; all its paths are relative to nginx's prefix."""
        template = files("reference_shop.edges").joinpath("nginx.conf.jinja").read_text(encoding="utf-8")
        environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False, keep_trailing_newline=True)  # noqa: S701  (no HTML)
        return environment.from_string(template).render(
            port=self.port,
            origin_port=self.origin_port,
            worker_count=self.worker_count,
            access_log=ACCESS_LOG,
            concurrency=self.concurrency,
        )

    def write(self, prefix: Path) -> None:
        """Put the configuration into nginx's folder."""
        (prefix / CONFIGURATION).write_text(self.configuration(), encoding="utf-8")


def command(program: Path, prefix: Path) -> tuple[str, ...]:
    """How nginx is run with `prefix` as its own folder; its errors go to stderr, from the first line on."""
    return (str(program), "-p", f"{prefix}/", "-e", "stderr", "-c", CONFIGURATION)


def find_program() -> Path | None:
    """Where nginx is installed."""
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), *_SYSTEM_FOLDERS))
    found = shutil.which("nginx", path=path)
    return Path(found) if found else None
