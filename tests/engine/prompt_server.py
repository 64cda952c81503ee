"""A WSGI server that answers at once.

Head and body are writes of their own: Nagle's algorithm would hold the body back until the client has acknowledged the
head, which takes it 40 ms.
"""

import socket
from typing import Any

from gevent.pywsgi import WSGIServer


class PromptServer(WSGIServer):
    """As gevent's, on connections that send what they have."""

    def handle(self, connection: socket.socket, address: Any) -> None:
        """Serve one connection."""
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().handle(connection, address)
