"""The programs that edges are made of: where they are, and how missing ones are installed."""

import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from reference_shop.edges.options import EdgeOptions, needs_front
from reference_shop.edges.profiles import EdgeProfile
from reference_shop.edges.user_files import is_vcl

# A user's PATH often lacks the folders of system programs.
_SYSTEM_FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/sbin")
_INSTALL = "apt-get install -y --no-install-recommends"


@dataclass(frozen=True, slots=True)
class EdgeProgram:
    """A program, the Debian packages it comes with, and files it needs, where a `*` in a path stands for anything."""

    name: str
    executable: str
    packages: tuple[str, ...]
    needs_files: tuple[Path, ...] = ()


# Debian's packages decide where these are.
CORE_RULES = Path("/usr/share/modsecurity-crs/rules")
UNICODE_MAPPING = Path("/etc/nginx/unicode.mapping")
MODSECURITY_MODULE = Path("/usr/lib/nginx/modules/ngx_http_modsecurity_module.so")
_VARNISH_MODULES = Path("/usr/lib/*/varnish/vmods")

PROGRAMS: Mapping[str, EdgeProgram] = {
    program.name: program
    for program in (
        EdgeProgram("nginx", "nginx", ("nginx",)),
        EdgeProgram(
            "varnish",
            "varnishd",
            ("varnish", "varnish-modules"),
            (_VARNISH_MODULES / "libvmod_xkey.so", _VARNISH_MODULES / "libvmod_var.so"),
        ),
        EdgeProgram(
            "modsecurity",
            "nginx",
            ("nginx", "libnginx-mod-http-modsecurity", "modsecurity-crs"),
            (MODSECURITY_MODULE, CORE_RULES, UNICODE_MAPPING),
        ),
        EdgeProgram("openssl", "openssl", ("openssl",)),
    )
}


def find(name: str) -> Path | None:
    """Where a program of `PROGRAMS` is; None when it, or a file that it needs, is missing."""
    program = PROGRAMS[name]
    found = find_executable(program.executable)
    return found if found and all(map(_is_there, program.needs_files)) else None


def find_executable(executable: str) -> Path | None:
    """Where an executable is, in PATH or the system's folders."""
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), *_SYSTEM_FOLDERS))
    found = shutil.which(executable, path=path)
    return Path(found) if found else None


def missing(names: Iterable[str]) -> tuple[str, ...]:
    """Those of the programs that are not installed completely."""
    return tuple(name for name in names if find(name) is None)


def install_command(names: Iterable[str]) -> str:
    """The command that installs all of these programs."""
    packages = dict.fromkeys(package for name in names for package in PROGRAMS[name].packages)
    return f"{_INSTALL} {' '.join(packages)}"


def needed(profile: EdgeProfile, options: EdgeOptions) -> tuple[str, ...]:
    """The programs that a profile needs with these options, those of the profile first."""
    names = [*profile.programs]
    if profile.name == "custom" and options.config:
        names.append("varnish" if is_vcl(options.config) else "nginx")
    if needs_front(profile, options):
        names.append("nginx")
    if options.waf:
        names.append("modsecurity")
    if options.tls:
        names.append("openssl")
    return tuple(dict.fromkeys(names))


def _is_there(pattern: Path) -> bool:
    if "*" not in str(pattern):
        return pattern.exists()
    return next(Path(pattern.anchor).glob(str(pattern.relative_to(pattern.anchor))), None) is not None
