"""`lonjak edge` as a shell sees it: an edge before an origin of somebody's own, and what keeps one from coming up."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
import pytest
import requests

from loadgen.exitcodes import ExitCode
from loadgen.stack import find_stack_at
from lonjak import install_edges
from lonjak.edge_tables import profiles_table
from reference_shop.edges import PROFILES, programs
from reference_shop.stack.folder import STATE_VARIABLE

LONJAK = (sys.executable, "-m", "lonjak")
needs_edges = pytest.mark.skipif(bool(programs.missing(("nginx", "varnish"))), reason="nginx or Varnish is missing")


@pytest.fixture(scope="module")
def state_dir() -> Iterator[Path]:
    """A state folder that the unprivileged user can reach."""
    path = Path(tempfile.mkdtemp(prefix="lonjak-test-"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path)


@pytest.fixture(autouse=True)
def _own_state(state_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STATE_VARIABLE, str(state_dir))


def lonjak(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*LONJAK, *arguments], capture_output=True, text=True, check=False, timeout=90)


class Page(BaseHTTPRequestHandler):
    """Answers every GET with the Host that it was asked for; may be kept for a minute."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = f"{self.path} of {self.headers['Host']}".encode()
        self.send_response(200)
        self.send_header("Cache-Control", "public, max-age=60")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


Up = Callable[..., list[str]]


@pytest.fixture
def up(origin: str) -> Iterator[Up]:
    """Brings an edge of the test's own up, and says at which addresses; all are gone afterwards."""
    started: list[str] = []

    def start(profile: str, *options: str) -> list[str]:
        ended = lonjak("edge", "up", "--profile", profile, "--origin", origin, "--port", "0", "--detach", *options)
        assert ended.returncode == 0, ended.stderr
        urls = ended.stdout.split()
        started.append(port_of(urls[0]))
        return urls

    yield start
    for port in started:
        lonjak("edge", "down", "--port", port)


def port_of(url: str) -> str:
    return url.rpartition(":")[2]


def cache_status(url: str) -> str:
    return requests.get(url, timeout=10).headers["Cache-Status"]


@needs_edges
def test_an_edge_before_an_origin_of_ones_own_caches_what_it_may_and_is_described(up: Up, origin: str) -> None:
    (url,) = up("nginx", "--origin-rtt-ms", "5")
    assert requests.get(url + "/a", timeout=10).text == f"/a of {url.removeprefix('http://')}"
    assert cache_status(url + "/a") == "lonjak-nginx; hit"
    stack = find_stack_at(url)
    assert stack is not None
    assert (stack.origin, stack.edge, stack.ops_url, stack.ops_token) == (origin, "nginx", None, None)
    assert [process.role for process in stack.processes] == ["origin-link", "edge"]
    assert [(door.cache, door.by) for door in stack.purge_doors] == [("lonjak-nginx", ("url",))]
    assert (stack.edge_options.purge, stack.products, stack.protections) == ("none", 0, ())
    assert stack.origin_link is not None


@needs_edges
def test_two_points_of_presence_are_told_both_and_share_a_shield(up: Up) -> None:
    first, second = up("two-tier")
    assert cache_status(first + "/b").startswith("lonjak-shield; fwd=uri-miss; stored, lonjak-pop-1; fwd=uri-miss")
    stack = find_stack_at(second)
    assert stack is not None
    assert (stack.url, stack.urls) == (first, (first, second))
    assert stack.caches == ("lonjak-shield", "lonjak-pop-1", "lonjak-pop-2")
    shown = lonjak("edge", "status", "--port", port_of(first)).stdout
    assert f"before {stack.origin}" in shown.splitlines()[0]
    assert f"{first}, {second}" in shown


@needs_edges
def test_edges_are_shown_by_edge_status_and_shop_status_points_there(up: Up, origin: str) -> None:
    (url,) = up("nginx-pass")
    told = lonjak("edge", "status", "--port", port_of(url), "--json")
    assert [(stack["url"], stack["origin"], "ops_token" in stack) for stack in json.loads(told.stdout)] == [
        (url, origin, False)
    ]
    shops = lonjak("shop", "status", "--port", port_of(url))
    assert (shops.returncode, shops.stdout) == (ExitCode.ENVIRONMENT, "")
    assert shops.stderr == (
        "lonjak: no shop is running: start one with `lonjak shop up`; an edge runs: `lonjak edge status`\n"
    )
    lonjak("edge", "down", "--port", port_of(url))
    edges = lonjak("edge", "status", "--port", port_of(url))
    assert (edges.returncode, edges.stderr) == (
        ExitCode.ENVIRONMENT,
        "lonjak: no edge is running: start one with `lonjak edge up`\n",
    )


@needs_edges
@pytest.mark.parametrize(("name", "text"), [("own.conf", "events {}\nhtpp {}\n"), ("own.vcl", "vcl 4.1;\nsub {")])
def test_a_configuration_that_its_program_refuses_is_named(name: str, text: str, origin: str, tmp_path: Path) -> None:
    own = tmp_path / name
    own.write_text(text)
    ended = lonjak(*("edge", "up", "--profile", "custom", "--edge-config", str(own)), "--port", "0", "--origin", origin)
    assert (ended.returncode, ended.stdout) == (ExitCode.ENVIRONMENT, "")
    first, *words = ended.stderr.partition("lonjak: ")[2].splitlines()
    assert re.fullmatch(
        rf"edge ended with exit code \d+ while it started with your --edge-config {own}; its log ends with:",
        first,
    )
    assert any("htpp" in line or "VCL" in line for line in words)


@needs_edges
def test_edge_down_stops_edges_and_shop_down_leaves_them_alone(up: Up) -> None:
    (url,) = up("nginx-pass")
    down = lonjak("shop", "down", "--port", port_of(url))
    assert (down.returncode, down.stdout) == (0, "no shop is running\n")
    assert requests.get(url, timeout=10).status_code == 200
    down = lonjak("edge", "down", "--port", port_of(url))
    assert (down.returncode, down.stdout) == (0, f"the edge on port {port_of(url)} is stopped\n")
    assert find_stack_at(url) is None
    assert lonjak("edge", "down", "--port", port_of(url)).stdout == "no edge is running\n"


@needs_edges
def test_nothing_of_an_edge_outlives_a_killed_supervisor(up: Up) -> None:
    (url,) = up("varnish", "--rate-limit", "50", "--origin-rtt-ms", "1")
    stack = find_stack_at(url)
    assert stack is not None
    assert [process.role for process in stack.processes] == ["origin-link", "edge", "edge-log", "edge-front"]
    supervisor = psutil.Process(stack.supervisor_pid)
    family = supervisor.children(recursive=True)
    supervisor.kill()
    _, alive = psutil.wait_procs(family, timeout=20)
    assert alive == []
    down = lonjak("edge", "down", "--port", port_of(url))
    assert down.stdout.startswith(f"the edge on port {port_of(url)} had lost its supervisor")


@needs_edges
def test_ctrl_c_stops_an_edge_in_the_foreground(origin: str) -> None:
    command = [*LONJAK, "edge", "up", "--profile", "nginx-pass", "--origin", origin, "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as edge:
        assert edge.stdout is not None
        url = edge.stdout.readline().strip()
        assert requests.get(url, timeout=10).status_code == 200
        edge.send_signal(signal.SIGINT)
        _, said = edge.communicate(timeout=30)
    assert (edge.returncode, "stopping the edge" in said) == (ExitCode.INTERRUPTED, True)
    assert find_stack_at(url) is None


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--profile", "nginx", "--origin", "http://192.0.2.1"], "target 192.0.2.1 is not loopback: nothing was sent"),
        (["--profile", "direct", "--origin", "http://127.0.0.1:1"], "profile direct is no edge"),
        (["--profile", "akamai", "--origin", "http://127.0.0.1:1"], "edge profile 'akamai' is unknown"),
        (["--profile", "two-tier", "--origin", "https://127.0.0.1:1"], "cannot speak TLS to an origin"),
        (["--profile", "nginx", "--origin", "127.0.0.1:80"], "is not an http:// or https:// address"),
        (["--profile", "nginx", "--origin", "http://127.0.0.1:1", "--waf", "5"], "waf is 5"),
        (["--profile", "nginx", "--origin", "http://127.0.0.1:1", "--waf", "0"], "waf is 0"),
        (["--profile", "custom", "--origin", "http://127.0.0.1:1", "--edge-config", "no.vcl"], "cannot be read"),
        (["--origin", "http://127.0.0.1:1"], "Missing option '--profile'"),
        (["--profile", "nginx"], "Missing option '--origin'"),
    ],
)
def test_wrong_use_ends_with_2_and_says_why(options: list[str], sentence: str) -> None:
    ended = lonjak("edge", "up", "--port", "0", *options)
    assert (ended.returncode, ended.stdout) == (ExitCode.USAGE, "")
    assert sentence in ended.stderr
    assert "Traceback" not in ended.stderr


@needs_edges
def test_an_origin_that_answers_nothing_ends_with_4() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        ended = lonjak("edge", "up", "--profile", "nginx", "--port", "0", "--origin", url)
    assert (ended.returncode, ended.stdout) == (ExitCode.ENVIRONMENT, "")
    assert ended.stderr == (
        f"lonjak: nothing answers at the origin {url} (Connection refused): "
        "start it first, or give another with --origin\n"
    )


def test_a_program_that_is_missing_ends_with_4_and_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whether or not the origin answers. openssl is a user's program: unlike nginx it is looked for in PATH alone."""
    if not programs.find("nginx") or Path("/usr/sbin/openssl").exists():
        pytest.skip("nginx is missing, or openssl is where system programs are")
    monkeypatch.setenv("PATH", "/nonexistent")
    ended = lonjak("edge", "up", "--profile", "nginx", "--port", "0", "--origin", "http://127.0.0.1:1", "--tls")
    assert (ended.returncode, ended.stdout) == (ExitCode.ENVIRONMENT, "")
    assert ended.stderr == "lonjak: openssl is not installed: apt-get install -y --no-install-recommends openssl\n"


def test_profiles_are_listed_for_people_and_for_programs() -> None:
    told = lonjak("edge", "profiles", "--json")
    assert (told.returncode, told.stderr) == (0, "")
    assert {profile["name"]: profile["safety"].keys() for profile in json.loads(told.stdout)} == {
        name: profile.safety.keys() for name, profile in PROFILES.items()
    }
    lines = lonjak("edge", "profiles").stdout.splitlines()
    assert [line for line in lines if line and not line.startswith(" ")] == list(PROFILES)
    assert max(map(len, lines)) <= 80


def test_a_program_that_a_profile_lacks_is_marked() -> None:
    shown = profiles_table([PROFILES["two-tier"]], missing=lambda _names: ("varnish",)).splitlines()
    assert shown[0] == "two-tier"
    assert "  needs             nginx, varnish (not installed)" in shown
    assert any(line.startswith("  cart-leak         safe: ") for line in shown)


def test_what_a_users_own_configuration_needs_is_said_of_either_program() -> None:
    shown = profiles_table([PROFILES["custom"]], missing=lambda _names: ("varnish",)).splitlines()
    assert "  needs             nginx, or varnish (not installed) for *.vcl" in shown
    assert "  caches            lonjak-nginx, or lonjak-varnish for *.vcl" in shown


def test_everything_that_an_edge_may_need_is_installed_for_the_tests() -> None:
    needed = {package for program in programs.PROGRAMS.values() for package in program.packages}
    assert {package.name for package in install_edges.ALL} == needed | {"wrk", "libxml2-utils", "python3-yaml"}
    assert {service.package for service in install_edges.SERVICES} <= needed


def test_nothing_is_installed_that_is_there(tmp_path: Path) -> None:
    """With an apt-get before the real one that would tell of its call."""
    if not all(package.installed for package in install_edges.ALL):
        pytest.skip("not everything is installed here")
    called = tmp_path / "called"
    (tmp_path / "apt-get").write_text(f"#!/bin/sh\ntouch {called}\n")
    (tmp_path / "apt-get").chmod(0o755)
    command = (sys.executable, "-m", "lonjak.install_edges", "--all")
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert ended.stderr.startswith("the edges' programs are installed: nginx, varnish")
    assert not called.exists()


def test_a_service_that_ran_before_is_left_alone_and_a_new_one_is_stopped(tmp_path: Path) -> None:
    pid_file = tmp_path / "sleep.pid"
    service = install_edges.Service("no-such-service", "no-such-package", "sleep", pid_file)
    assert service.pid() is None
    with subprocess.Popen(["sleep", "600"]) as sleeper:
        pid_file.write_text(str(sleeper.pid))
        threading.Thread(target=sleeper.wait, daemon=True).start()  # or it would stay a zombie with its name
        install_edges.stop_service(service, before=sleeper.pid)
        assert service.pid() == sleeper.pid
        install_edges.stop_service(service, before=None)
        assert service.pid() is None
    assert sleeper.returncode == -signal.SIGTERM
