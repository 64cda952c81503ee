"""A locustfile as anybody might write it; it knows nothing of Lonjak."""

from locust import HttpUser, between, task


class Visitor(HttpUser):
    wait_time = between(0.2, 0.6)

    def on_start(self) -> None:
        self.client.get("/")

    @task(3)
    def look_at_a_product(self) -> None:
        for product_id in range(1, 4):
            self.client.get(f"/product/{product_id}", name="/product")

    @task
    def search(self) -> None:
        self.client.get("/search?q=kopi", name="/search?q=,x")
