"""The sockets of a stack, bound before anything is started: who listens where, with and without throttles between.

    shopper ── public ─[edge throttle]── edge ── shop ── payment
                                                   └────[database throttle]── database

Without an edge, or without its throttle, two neighbours share one socket.
"""

import socket
from dataclasses import dataclass

from reference_shop.stack import ports
from reference_shop.stack.settings import StackSettings


@dataclass(frozen=True, slots=True)
class Doors:
    """`edge` is only reserved, as nginx binds its port itself; None where there is no edge, or no such throttle."""

    public: socket.socket
    edge: socket.socket | None
    shop: socket.socket
    payment: socket.socket
    database_throttle: socket.socket | None

    @property
    def behind_edge_throttle(self) -> socket.socket:
        """What the public socket leads to."""
        return self.edge or self.shop


def open_public(settings: StackSettings) -> socket.socket:
    """The public socket: listening for a program that inherits it, or only holding the port for one that binds it."""
    inherited = settings.edge == "direct" or delayed(settings, "edge")
    return ports.listen(settings.port) if inherited else ports.reserve(settings.port)


def open_doors(settings: StackSettings, public: socket.socket) -> Doors:
    """All sockets of a stack behind its public one."""
    edge, shop = None, public
    if settings.edge != "direct":
        edge = ports.reserve() if delayed(settings, "edge") else public
    if edge or delayed(settings, "edge"):
        shop = ports.listen()
    database_throttle = ports.listen() if delayed(settings, "database") else None
    return Doors(public, edge, shop, ports.listen(), database_throttle)


def delayed(settings: StackSettings, tier: str) -> bool:
    """Whether a proxy of ours stands in front of a tier that has no delay of its own."""
    return bool(settings.throttle(tier, "delay-ms"))
