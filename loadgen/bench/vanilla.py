"""What looping.py does, as users of Locust without anything of ours: its fast client and its usual one.

The loop stands inside the task, as it does in looping.py: Locust's own loop over tasks is in none of them.
"""

import gevent
import urllib3
from locust import FastHttpUser, HttpUser, task

WAIT_S = 3600.0


class FastLooping(FastHttpUser):
    """Asks again as soon as it has the answer."""

    @task
    def loop(self) -> None:
        """Ask without end."""
        while True:
            self.client.get("/")


class FastWaiting(FastHttpUser):
    """Asks once and waits for an hour."""

    @task
    def wait_long(self) -> None:
        """Ask, and wait."""
        self.client.get("/")
        gevent.sleep(WAIT_S)


class _Trusting(HttpUser):
    """Takes any certificate, as the fast client does by default."""

    abstract = True

    def on_start(self) -> None:
        """Check nothing, and do not complain about it with each request."""
        self.client.verify = False
        urllib3.disable_warnings()


class HttpLooping(_Trusting):
    """Asks again as soon as it has the answer."""

    @task
    def loop(self) -> None:
        """Ask without end."""
        while True:
            self.client.get("/")


class HttpWaiting(_Trusting):
    """Asks once and waits for an hour."""

    @task
    def wait_long(self) -> None:
        """Ask, and wait."""
        self.client.get("/")
        gevent.sleep(WAIT_S)
