"""A locustfile whose target sends it elsewhere."""

from locust import FastHttpUser, constant, task


class Wanderer(FastHttpUser):
    wait_time = constant(0.1)

    @task
    def away(self) -> None:
        self.client.get("/away", name="away")
