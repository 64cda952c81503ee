"""nginx as an edge: what its templates are filled with, and how it is run in a folder of its own."""

import resource
import signal
from collections.abc import Mapping
from pathlib import Path

from reference_shop.edges import programs
from reference_shop.edges.pages import own_pages
from reference_shop.edges.personal import personal_names
from reference_shop.edges.rendering import render
from reference_shop.edges.site import HOST, EdgeProcess, Origin, Site
from reference_shop.edges.user_files import NAMES_FOR_NGINX

CONFIGURATION = "nginx.conf"
ACCESS_LOG = "access.jsonl"
_WAF_RULES = "waf.conf"
_PID = "nginx.pid"
# More than its connections: each may have a file of the cache open as well.
_FILES = 16_384


def edge(site: Site, port: int) -> EdgeProcess:
    """The profiles of one nginx, `nginx-pass`, `nginx-micro` and `nginx`, on `port`."""
    cache = "lonjak-nginx"
    door = site.inner_ports.get("purge-edge")
    values = _values(site, site.origin, port, name=cache, purge_port=door)
    files = _files(site, f"{site.profile.name}.conf.jinja", "edge", values)
    return nginx_process(
        site, "edge", "edge", files, port, cache=cache if site.profile.caches else None, purge_port=door
    )


def front(site: Site, behind: Origin) -> EdgeProcess:
    """nginx without a cache before a tier that lacks what was asked for: TLS, rules, limits."""
    port = site.public_ports[0]
    files = _files(site, "front.conf.jinja", "edge-front", _values(site, behind, port, name="lonjak-front"))
    return nginx_process(site, "edge-front", "front", files, port)


def point_of_presence(site: Site, number: int, shield: Origin) -> EdgeProcess:
    """The `number`th (from 1) of the edges before a shield."""
    role, cache = f"edge-pop-{number}", f"lonjak-pop-{number}"
    port, door = site.public_ports[number - 1], site.inner_ports.get(f"purge-pop-{number}")
    values = _values(site, shield, port, name=cache, purge_port=door)
    files = _files(site, "point-of-presence.conf.jinja", role, values)
    return nginx_process(site, role, "edge", files, port, cache=cache, purge_port=door)


def nginx_process(
    site: Site,
    role: str,
    tier: str,
    files: Mapping[str, str],
    port: int,
    *,
    cache: str | None = None,
    purge_port: int | None = None,
    directives: str = "",
) -> EdgeProcess:
    """nginx with these files; `directives` are given on its command line. SIGQUIT lets it finish what it has begun."""
    prefix = site.folder / role
    program = programs.find_executable("nginx") or Path("nginx")
    further = ("-g", directives) if directives else ()
    return EdgeProcess(
        role=role,
        tier=tier,
        command=(*command(program, prefix), *further),
        files=files,
        port=port,
        stop_signal=signal.SIGQUIT,
        access_log=prefix / ACCESS_LOG,
        # Not `nginx -s reload`: run by another user it would take nginx's folders for that user.
        reload=("sh", "-c", 'kill -HUP "$(cat "$1")"', "reload", str(prefix / _PID)),
        cache=cache,
        purge_door=(f"http://{HOST}:{purge_port}", ("url",)) if purge_port else None,
    )


def command(program: Path, prefix: Path) -> tuple[str, ...]:
    """How nginx is run with `prefix` as its own folder; its errors go to stderr, from the first line on."""
    return (str(program), "-p", f"{prefix}/", "-e", "stderr", "-c", CONFIGURATION)


def values_for_users(site: Site, port: int) -> dict[str, object]:
    """What a user's template may say, our partial templates included."""
    values = _values(site, site.origin, port, name="lonjak-nginx")
    return {name: value for name, value in values.items() if name in NAMES_FOR_NGINX}


def _files(site: Site, template: str, role: str, values: Mapping[str, object]) -> dict[str, str]:
    rules = site.folder / role / _WAF_RULES
    files = {CONFIGURATION: render(template, {**values, "waf_rules": rules})}
    if site.options.waf:
        files[_WAF_RULES] = render("waf.conf.jinja", {**values, "folder": site.folder / role})
    return files


def _values(site: Site, origin: Origin, port: int, *, name: str, purge_port: int | None = None) -> dict[str, object]:
    return {
        "name": name,
        "port": port,
        "purge_port": purge_port,
        "origin": origin,
        "origin_address": _address(origin),
        "host_header": origin.host_header or "$http_host",
        # Two names of the shop show the same pages; elsewhere a port may show in a page, and so belongs to its key.
        "host_key": "$host" if site.is_shop else "$http_host",
        # A front gets pages from further in; every other nginx compresses them itself, from one uncompressed copy.
        "passes_compressed": name == "lonjak-front",
        "scheme": site.scheme,
        "certificate": site.certificate if site.options.tls else None,
        "worker_count": site.worker_count,
        "file_limit": _file_limit(),
        "access_log": ACCESS_LOG,
        "pid": _PID,
        "is_shop": site.is_shop,
        "personal": personal_names(is_shop=site.is_shop),
        "pages": own_pages(is_shop=site.is_shop),
        "concurrency": site.concurrency,
        "rate_limit_per_s": site.options.rate_limit_per_s,
        "waf": site.options.waf,
        "waf_module": programs.MODSECURITY_MODULE,
        "core_rules": programs.CORE_RULES,
        "unicode_mapping": programs.UNICODE_MAPPING,
    }


def _address(origin: Origin) -> str:
    """Host and port as nginx writes them."""
    return f"[{origin.host}]:{origin.port}" if ":" in origin.host else f"{origin.host}:{origin.port}"


def _file_limit() -> int:
    """How many files a worker may open: only root may raise the hard limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
