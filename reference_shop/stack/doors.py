"""The sockets of a stack, bound before anything is started: who listens where, with and without proxies between.

    shopper ── public ─[edge throttle]── edge ─[origin link]── shop ── payment
                                                                └────[database throttle]── database

Without an edge, its throttle or its link, two neighbours share one socket. There is a public door for each point of
presence; an edge of several processes has inner doors besides.
"""

import socket
from collections.abc import Mapping
from dataclasses import dataclass, replace

from reference_shop.edges import EdgeOptions, layout
from reference_shop.edges.options import resolve_purge
from reference_shop.stack import ports
from reference_shop.stack.settings import StackSettings


@dataclass(frozen=True, slots=True)
class EdgeDoors:
    """What stands before an origin. `edge` and `inner` are only reserved, as nginx and Varnish bind their ports.

    `edge` is what the public doors lead to, one by one; empty where there is no edge. `link` is None without one.
    """

    public: tuple[socket.socket, ...]
    edge: tuple[socket.socket, ...]
    inner: Mapping[str, socket.socket]
    link: socket.socket | None

    @property
    def numbers(self) -> tuple[int, ...]:
        """The ports of the public doors; the first is the stack's own."""
        return tuple(map(ports.number_of, self.public))


@dataclass(frozen=True, slots=True)
class ShopDoors:
    """The shop and what it asks; `database_throttle` is None without one."""

    shop: socket.socket
    payment: socket.socket
    database_throttle: socket.socket | None


def open_public(settings: StackSettings, port: int) -> socket.socket:
    """A public door: listening for a program that inherits it, or only holding the port for one that binds it."""
    inherited = not settings.has_edge or delayed(settings, "edge")
    return ports.listen(port) if inherited else ports.reserve(port)


def open_edge_doors(settings: StackSettings, first: socket.socket) -> EdgeDoors:
    """All that stands before the origin, behind a public door that is open already; opens the other ones too."""
    public = (first, *(open_public(settings, 0) for _ in range(settings.profile.doors - 1)))
    throttled = delayed(settings, "edge")
    edge: tuple[socket.socket, ...] = ()
    if settings.has_edge:
        edge = tuple(ports.reserve() for _ in public) if throttled else public
    link = None
    if settings.edge_options.origin_rtt_ms is not None:
        link = ports.listen() if edge or throttled else first
    inner = {name: ports.reserve() for name in layout.inner_doors(settings.profile, site_options(settings))}
    return EdgeDoors(public, edge, inner, link)


def open_shop_doors(settings: StackSettings, before: EdgeDoors) -> ShopDoors:
    """The sockets of the shop itself, which may have the public door for its own."""
    alone = not before.edge and before.link is None and not delayed(settings, "edge")
    shop = before.public[0] if alone else ports.listen()
    database_throttle = ports.listen() if delayed(settings, "database") else None
    return ShopDoors(shop, ports.listen(), database_throttle)


def site_options(settings: StackSettings) -> EdgeOptions:
    """The options of the edge as it is laid out: before somebody's own origin its caches take purges in any case."""
    options = settings.resolved_edge_options
    return options if settings.origin is None else replace(options, purge=resolve_purge("auto", settings.profile))


def delayed(settings: StackSettings, tier: str) -> bool:
    """Whether a proxy of ours stands in front of a tier that has no delay of its own."""
    return bool(settings.throttle(tier, "delay-ms"))
