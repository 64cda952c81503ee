"""The base class for a locustfile of one's own: `from loadgen.user import LonjakUser` in the place of FastHttpUser.

Same call shape and settings, on our client: nothing is resent silently, TLS is verified, six connections per host.
"""

from collections.abc import Callable
from ssl import SSLContext
from typing import ClassVar

from locust import User
from locust.env import Environment
from locust.exception import StopTest
from locust.user.users import RestMixin

from loadgen.http.client import BROWSER_CONNECTIONS, MOST_REDIRECTS, SampleRecorder, ShopperClient, Timeouts
from loadgen.http.response import ShopperResponse
from loadgen.http.tls import client_context


class LonjakUser(User, RestMixin[ShopperResponse]):
    """A Locust user whose `client` is ours. What may be set is named as in Locust's FastHttpUser."""

    abstract = True
    connection_timeout: float = 5.0
    network_timeout: float = 60.0
    max_redirects: int = MOST_REDIRECTS
    insecure: bool = False
    default_headers: dict[str, str] | None = None
    concurrency: int = BROWSER_CONNECTIONS
    ssl_context_factory: Callable[[], SSLContext] | None = None
    recorder: ClassVar[SampleRecorder | None] = None  # of this process, while a run is recorded

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        if self.host is None:
            raise StopTest("give the shop's address as `host` in the user class, or with --host")
        self.client = ShopperClient(
            self.host,
            environment.events.request,
            recorder=self.recorder,
            timeouts=Timeouts(self.connection_timeout, self.network_timeout, self.network_timeout),
            headers=self.default_headers,
            connections=self.concurrency,
            most_redirects=self.max_redirects,
            tls_context=self._tls_context(),
            context=self.context,
        )

    def _tls_context(self) -> SSLContext | None:
        factory = type(self).ssl_context_factory  # taken from the class, or it would be bound like a method
        if factory is not None:
            return factory()
        return client_context(verify=False) if self.insecure else None
