"""The web UI made safe: no other page may start a load, no host comes in that the gate would refuse.

Locust's own server answers any page in any browser (CORS for all, no check of the origin), and takes any option from a
form. Here a request is refused when its Host is a name that could have been rebound (a DNS name that is not this
machine's), or when a page of another origin wants to change something.
"""

import ipaddress
import socket
from urllib.parse import urlsplit

from flask import Flask, Response, jsonify, request

from loadgen.conductor import Conductor
from loadgen.errors import LonjakError
from loadgen.exitcodes import ExitCode
from loadgen.plans import check_users, users_of
from loadgen.units import parse_duration

_SAFE_METHODS = frozenset(("GET", "HEAD", "OPTIONS"))


def guard(app: Flask, conductor: Conductor, *, base_path: str, own_names: frozenset[str]) -> None:
    """Check every request of the web UI before Locust sees it. `own_names` are further names of this server."""
    names = own_names | {"localhost", socket.gethostname().lower(), socket.getfqdn().lower()}

    def check() -> tuple[Response, int] | None:
        if not _is_own(request.host, names):
            return _refuse(403, f"the web UI does not answer to the name {request.host!r}: open it by its address")
        if request.method in _SAFE_METHODS:
            return None
        if not _is_same_origin():
            return _refuse(403, "a page of another origin may not steer the load: use the web UI itself")
        if request.path == f"{base_path}/swarm":
            return _check_swarm(conductor)
        return None

    app.before_request(check)


def _check_swarm(conductor: Conductor) -> tuple[Response, int] | None:
    rate = (request.form.get("rate") or "").strip() or None
    try:
        users = _users(request.form.get("user_count"))
        if conductor.run is not None:
            return _change_running(conductor, rate, users)
        if users is not None:
            check_users(users)
        conductor.prepare(
            host=(request.form.get("host") or "").strip() or None,
            rate=rate or conductor.options.rate,
            duration_s=_duration_s(request.form.get("run_time")) or conductor.options.duration_s,
        )
        conductor.check_workers()
    except LonjakError as error:
        return _refuse(400 if error.exit_code == ExitCode.USAGE else 503, str(error))
    return None


def _change_running(conductor: Conductor, rate: str | None, users: int | None) -> tuple[Response, int] | None:
    host = (request.form.get("host") or "").strip().rstrip("/")
    if host and conductor.run is not None and host != conductor.run.prepared.target:
        return _refuse(409, "a run is on: stop it before you choose another host")
    if users is not None and conductor.ours and conductor.run is not None:
        told = users_of(conductor.run.prepared.scenario.load)
        if users != told:
            return _refuse(409, f"a run is on with {told} users: stop it before you choose another number")
    if rate and conductor.ours:
        try:
            conductor.set_rate(float(rate))
        except ValueError:
            return _refuse(400, f"the rate is {rate!r}, but must be a number of sessions per second")
    return None


def _users(text: str | None) -> int | None:
    try:
        return int(text) if text else None
    except ValueError:
        return None  # Locust's own message says what is wrong with it


def _duration_s(text: str | None) -> float | None:
    try:
        return parse_duration(text) or None if text else None
    except ValueError:
        return None  # Locust's own message says what is wrong with it


def _is_own(host: str, names: frozenset[str]) -> bool:
    name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
    if name in names:
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True  # an address cannot be rebound


def _is_same_origin() -> bool:
    origin, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")
    if site is not None and site not in ("same-origin", "none"):
        return False
    return origin is None or urlsplit(origin).netloc == request.host


def _refuse(status: int, message: str) -> tuple[Response, int]:
    return jsonify({"success": False, "message": message}), status
