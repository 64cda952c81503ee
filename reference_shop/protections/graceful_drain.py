"""graceful-drain: a worker that is stopped finishes what it has begun.

The workers share one listening socket, which stays open in the supervisor: what no worker has accepted yet waits in the
kernel for another one, so a worker has only to stop accepting. `/readyz` stays as it is: whoever asks it over a new
connection would hear of another worker.
"""

import asyncio
import os
import socket
from time import monotonic
from types import FrameType

import uvicorn

# Longer than nearly every payment takes, shorter than the supervisor's patience.
GRACE_S = 3
# uvicorn closes a connection that is idle when the stop comes, under a request that is on its way. So for a moment
# connections may ask once more, and are told to close with the answer.
_LAST_REQUESTS_S = 0.4
_POLL_S = 0.02


class DrainingServer(uvicorn.Server):
    """With the protection: uvicorn's own way to stop, which waits at most `timeout_graceful_shutdown`, and a moment."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept no more, answer what the accepted connections ask, and end as uvicorn does."""
        for server in self.servers:
            server.close()
        self.server_state.default_headers = [*self.server_state.default_headers, (b"connection", b"close")]
        ends_at = monotonic() + _LAST_REQUESTS_S
        while self.server_state.connections and monotonic() < ends_at:
            await asyncio.sleep(_POLL_S)
        await super().shutdown(sockets)


class AbruptServer(uvicorn.Server):
    """Without it: the process is gone with the signal, and what was in flight is cut."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002  (uvicorn's)
        """End at once; the stop was asked for, so the exit status is 0."""
        os._exit(0)
