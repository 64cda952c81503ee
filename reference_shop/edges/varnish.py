"""Varnish as an edge: what its VCL is filled with, and how it and the program that writes its access log are run.

Varnish itself writes no log, but a ring in memory, from which varnishncsa writes the access log: within a few
milliseconds when there is little to do, and without Varnish waiting for it. When Varnish's child restarts, or all of
Varnish, varnishncsa finds the new ring by itself; should it end, the supervisor restarts it like any other process.
"""

import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reference_shop.edges import programs
from reference_shop.edges.pages import own_pages
from reference_shop.edges.personal import personal_names
from reference_shop.edges.rendering import render
from reference_shop.edges.site import HOST, EdgeProcess, Site
from reference_shop.edges.user_files import NAMES_FOR_VARNISH

CONFIGURATION = "edge.vcl"
ACCESS_LOG = "access.jsonl"
_WORK = "work"

# A few thousand pages; with its threads and tables a Varnish takes about twice as much.
_STORE = "256m"
_PARAMETERS: Mapping[str, str] = {
    # What the origin says nothing of is not kept.
    "default_ttl": "0",
    "default_grace": "0",
    "default_keep": "0",
    # Longer than most think times: a shopper keeps the connection.
    "timeout_idle": "65",
    # A thousand shoppers who come at once find threads, or wait for one; by default the 21st who waits is dropped.
    "thread_pools": "2",
    "thread_pool_min": "50",
    "thread_pool_max": "2000",
    "thread_queue_limit": "10000",
    "listen_depth": "4096",
}

_LOG_FORMAT = (
    '{"at":%{VSL:Timestamp:Resp[1]}x,"kind":"%{X-Page-Kind}o","status":%s,"bytes":%b,"cache":"%{VCL_Log:cache}x",'
    '"duration_s":%{VSL:Timestamp:Resp[2]}x,"request_id":"%{X-Request-ID}i"}'
)
_RELOAD = """\
name="reload_$(date +%s%N)"
varnishadm -n "$1" vcl.load "$name" "$2" && varnishadm -n "$1" vcl.use "$name" || exit
varnishadm -n "$1" vcl.list | awk '$1 == "available" { print $NF }' |
    while read -r old; do varnishadm -n "$1" vcl.discard "$old"; done
"""


@dataclass(frozen=True, slots=True)
class VarnishTier:
    """What a Varnish is called, in the stack and in Cache-Status, and where it listens."""

    role: str
    tier: str
    cache: str
    port: int
    purge_port: int | None = None


def edge(site: Site, port: int, *, outermost: bool) -> tuple[EdgeProcess, EdgeProcess]:
    """The profile `varnish` on `port`, with its log; `outermost` unless a front stands before it."""
    tier = VarnishTier("edge", "edge", "lonjak-varnish", port, site.inner_ports.get("purge-edge"))
    values = {**_values(site, tier.cache), "outermost": outermost, "feeds_a_cache": False}
    return varnish_processes(site, tier, render("varnish.vcl.jinja", values))


def shield(site: Site, port: int) -> tuple[EdgeProcess, EdgeProcess]:
    """The shield of `two-tier` on `port`, with its log."""
    tier = VarnishTier("edge-shield", "shield", "lonjak-shield", port, site.inner_ports.get("purge-shield"))
    values = {**_values(site, tier.cache), "outermost": False, "feeds_a_cache": True}
    return varnish_processes(site, tier, render("shield.vcl.jinja", values))


def varnish_processes(site: Site, tier: VarnishTier, vcl: str) -> tuple[EdgeProcess, EdgeProcess]:
    """Varnish with this VCL, and the writer of its log."""
    folder = site.folder / tier.role
    work = folder / _WORK
    serving = EdgeProcess(
        role=tier.role,
        tier=tier.tier,
        command=_serve(folder, work, tier),
        files={CONFIGURATION: vcl},
        port=tier.port,
        stop_signal=signal.SIGTERM,
        access_log=None,
        reload=("sh", "-c", _RELOAD, "reload", str(work), str(folder / CONFIGURATION)),
        cache=tier.cache,
        purge_door=(f"http://{HOST}:{tier.purge_port}", ("url", "key")) if tier.purge_port else None,
    )
    return serving, _log(site, tier, work)


def values_for_users(site: Site) -> dict[str, object]:
    """What a user's template may say."""
    values = _values(site, "lonjak-varnish")
    return {name: value for name, value in values.items() if name in NAMES_FOR_VARNISH}


def _serve(folder: Path, work: Path, tier: VarnishTier) -> tuple[str, ...]:
    program = programs.find_executable("varnishd") or Path("varnishd")
    purging = ("-a", f"purge={HOST}:{tier.purge_port}") if tier.purge_port else ()
    parameters = (argument for name, value in _PARAMETERS.items() for argument in ("-p", f"{name}={value}"))
    return (
        str(program),
        *("-j", "none"),  # whoever starts it has already given up the rights that a jail would take away
        "-F",
        *("-n", str(work)),
        *("-f", str(folder / CONFIGURATION)),
        *("-a", f"public={HOST}:{tier.port}"),
        *purging,
        *("-T", f"{HOST}:0"),  # any free port, and a secret in the work folder: for the reload
        *("-s", f"malloc,{_STORE}"),
        *("-l", "32m"),  # a second of log at full load
        *parameters,
    )


def _log(site: Site, tier: VarnishTier, work: Path) -> EdgeProcess:
    role = f"{tier.role.removeprefix('edge-')}-log"
    program = programs.find_executable("varnishncsa") or Path("varnishncsa")
    access_log = site.folder / role / ACCESS_LOG
    return EdgeProcess(
        role=role,
        tier=tier.tier,
        command=(
            str(program),
            *("-n", str(work)),
            *("-t", "off"),  # Varnish may come later, and again
            *("-a", "-w", str(access_log)),
            *("-q", 'ReqMethod ne "PURGE"'),  # no shopper asked
            *("-j", "-F", _LOG_FORMAT),
        ),
        files={},
        port=0,
        stop_signal=signal.SIGTERM,
        access_log=access_log,
        reload=None,
        cache=None,
        purge_door=None,
    )


def _values(site: Site, cache: str) -> dict[str, object]:
    """Raises ValueError for an origin that speaks TLS."""
    if site.origin.secure:
        raise ValueError(
            f"edge profile {site.profile.name} has a Varnish, which cannot speak TLS to an origin: "
            "give an http:// origin, or choose an nginx profile"
        )
    return {
        "name": cache,
        "origin": site.origin,
        "probe_timeout_ms": round(1000 + 2 * (site.options.origin_rtt_ms or 0)),
        "scheme": site.scheme,
        "is_shop": site.is_shop,
        "personal": personal_names(is_shop=site.is_shop),
        "pages": own_pages(is_shop=site.is_shop),
    }
