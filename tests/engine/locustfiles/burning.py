"""Users of a locustfile of somebody's own that keep their generator busier than it can be."""

import time

from locust import FastHttpUser, constant, task


class Burning(FastHttpUser):
    wait_time = constant(0)

    @task
    def burn(self) -> None:
        self.client.get("/home", name="home")
        until = time.process_time() + 0.03
        while time.process_time() < until:
            pass
