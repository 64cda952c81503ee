"""Which processes an edge is made of: who listens where, who asks whom, and in which order they start.

    shopper ── public door(s) ─[front]── cache tier(s) ── origin
                                              └ purge doors

The stack reserves the inner doors that `inner_doors` names, starts what `lay_out` returns, and owns everything else.
"""

from reference_shop.edges import custom, nginx, varnish
from reference_shop.edges.options import EdgeOptions, needs_front, resolve_purge
from reference_shop.edges.profiles import EdgeProfile
from reference_shop.edges.site import HOST, EdgeProcess, Origin, Site
from reference_shop.edges.user_files import is_vcl

__all__ = ["EdgeProcess", "Origin", "Site", "inner_doors", "lay_out"]

_SHIELD = "shield"
_CACHE = "cache"


def inner_doors(profile: EdgeProfile, options: EdgeOptions) -> tuple[str, ...]:
    """The names of the inner ports that a layout may use, all on loopback.

    "cache" is there without a front too: a concurrency, which is no option, also asks for one.
    """
    purging = resolve_purge(options.purge, profile) != "none"
    if profile.name == "two-tier":
        return (_SHIELD, *(("purge-shield", "purge-pop-1", "purge-pop-2") if purging else ()))
    behind_front = (_CACHE,) if profile.name in {"varnish", "custom"} else ()
    return (*behind_front, *(("purge-edge",) if purging else ()))


def lay_out(site: Site) -> tuple[EdgeProcess, ...]:
    """All processes in the order of the start: origin side first, a log right after the cache that it is of.

    Raises ValueError, one sentence, for what cannot be: a file that is no template, Varnish before an origin with TLS.
    """
    if site.profile.name == "two-tier":
        return _two_tier(site)
    if not needs_front(site.profile, site.options, site.concurrency):
        return () if site.profile.name == "direct" else _cache_tier(site, site.public_ports[0], outermost=True)
    if site.profile.name == "direct":
        return (nginx.front(site, site.origin),)
    port = site.inner_ports[_CACHE]
    return (*_cache_tier(site, port, outermost=False), nginx.front(site, Origin(HOST, port)))


def _cache_tier(site: Site, port: int, *, outermost: bool) -> tuple[EdgeProcess, ...]:
    """The one tier of most profiles, on `port`."""
    match site.profile.name:
        case "varnish":
            return varnish.edge(site, port, outermost=outermost)
        case "custom" if is_vcl(site.options.config or ""):
            return custom.varnish_edge(site, port)
        case "custom":
            return custom.nginx_edge(site, port)
        case _:
            return (nginx.edge(site, port),)


def _two_tier(site: Site) -> tuple[EdgeProcess, ...]:
    port = site.inner_ports[_SHIELD]
    shield = varnish.shield(site, port)
    return (*shield, *(nginx.point_of_presence(site, number, Origin(HOST, port)) for number in (1, 2)))
