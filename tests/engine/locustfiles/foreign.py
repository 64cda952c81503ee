"""A locustfile that knows nothing of us."""

from locust import FastHttpUser, HttpUser, constant, task


class Slow(HttpUser):
    wait_time = constant(0.05)

    @task
    def hello(self) -> None:
        self.client.get("/hello")


class Fast(FastHttpUser):
    wait_time = constant(0.05)

    @task
    def world(self) -> None:
        self.client.get("/world", name="the world, yes")
