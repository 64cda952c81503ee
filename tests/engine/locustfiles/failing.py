"""A locustfile whose task fails in its own code, beside one that does its work."""

from locust import constant, task

import loadgen.plugin  # noqa: F401
from loadgen.user import LonjakUser


class Failing(LonjakUser):
    wait_time = constant(0.05)

    @task
    def hello(self) -> None:
        self.client.get("/hello")

    @task
    def broken(self) -> None:
        raise KeyError("price")
