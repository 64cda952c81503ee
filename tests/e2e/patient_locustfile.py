"""Users of the patient server; they know nothing of Lonjak."""

from locust import HttpUser, constant_throughput, task


class Visitor(HttpUser):
    wait_time = constant_throughput(2)

    @task(2)
    def home(self) -> None:
        self.client.get("/")

    @task(3)
    def product(self) -> None:
        self.client.get("/product")

    @task(1)
    def search(self) -> None:
        self.client.get("/search?q=kopi", name="/search")
