"""Queues of a stack, from pages of metrics as the shop and its provider tell them."""

from pathlib import Path

import pytest
import requests

from loadgen.queues import QueueSample, QueueSampler, totals
from loadgen.quotas import Quota
from loadgen.stack import Stack, StackProcess

SHOP = """# HELP shop_places_in_use Places of the workers that are taken
# TYPE shop_places_in_use gauge
shop_places 8.0
shop_places_in_use 8.0
shop_places_waiting {waiting}
shop_refusals_total{{protection="admission"}} {refused}
shop_refusals_total{{protection="load-shedding"}} 2.0
shop_refusals_total{{protection="checkout-bulkhead"}} {payments_refused}
shop_database_connections 20.0
shop_database_connections_in_use 3.0
shop_database_connections_waiting 0.0
shop_database_connection_wait_seconds_bucket{{le="0.001"}} 4.0
shop_database_connection_wait_seconds_count {passed}
shop_database_connection_wait_seconds_sum {waited_s}
shop_payment_call_duration_seconds_count{{operation="charge",outcome="captured"}} {calls}
shop_payment_call_duration_seconds_count{{operation="void",outcome="voided"}} 1.0
shop_payment_call_duration_seconds_sum{{operation="charge",outcome="captured"}} {called_s}
"""
PAYMENT = "payment_desks 1.0\npayment_charges_in_work 1.0\npayment_charges_waiting 4.0\n"
FIRST = {
    "waiting": 16,
    "refused": 5,
    "payments_refused": 1,
    "passed": 100,
    "waited_s": 2.0,
    "calls": 7,
    "called_s": 1.5,
}
SECOND = {**FIRST, "waiting": 3, "refused": 9, "passed": 160, "waited_s": 3.25, "calls": 9, "called_s": 2.5}


def process(role: str, tier: str, port: int | None) -> StackProcess:
    return StackProcess(role, tier, 7, 1, port, (0,), ready=True)


def stack(*processes: StackProcess, ops_url: str | None = "http://127.0.0.1:5000/ops/truth") -> Stack:
    return Stack(
        path=Path("stack.json"),
        state="ready",
        url="http://127.0.0.1:8080",
        edge="direct",
        ops_url=ops_url,
        ops_token=None,
        cpu_sets={},
        access_logs=(),
        processes=processes,
        supervisor_pid=None,
        supervisor_start_time=None,
    )


class Pages:
    def __init__(self) -> None:
        self.texts = {"http://127.0.0.1:5000/metrics": "", "http://127.0.0.1:6000/metrics": PAYMENT}

    def shop(self, **values: float) -> None:
        self.texts["http://127.0.0.1:5000/metrics"] = SHOP.format(**values)

    def fetch(self, url: str) -> str:
        if url not in self.texts:
            raise requests.ConnectionError(url)
        return self.texts[url]


def test_levels_are_told_as_they_stand_and_counts_as_they_grew() -> None:
    pages = Pages()
    sampler = QueueSampler(pages.fetch, quota=lambda _pid: None)
    watched = stack(process("payment", "payment", 6000))
    pages.shop(**FIRST)
    list(sampler.sample(4, watched))
    pages.shop(**SECOND)
    assert list(sampler.sample(6, watched)) == [
        QueueSample(6, "shop", "places", limit=8.0, in_use=8.0, waiting_count=3, refused_count=4),
        QueueSample(6, "database", "connections", limit=20.0, in_use=3.0, passed_count=60, waited_s=1.25),
        QueueSample(6, "payment", "calls", passed_count=2, waited_s=1.0),
        QueueSample(6, "payment", "charges", limit=1.0, in_use=1.0, waiting_count=4),
    ]


def test_a_shop_that_began_anew_has_not_grown_backwards() -> None:
    pages = Pages()
    sampler = QueueSampler(pages.fetch, quota=lambda _pid: None)
    for values in (SECOND, FIRST):
        pages.shop(**values)
        samples = list(sampler.sample(4, stack()))
    assert [(sample.passed_count, sample.waited_s, sample.refused_count) for sample in samples] == [
        (0, 0.0, 0),
        (0, 0.0, 0),
        (0, 0.0, 0),
    ]


def test_a_quota_is_told_once_for_all_processes_of_its_group() -> None:
    quotas = iter([Quota(Path("/shop"), 0.25, 100, 10, 1.0)] * 2 + [Quota(Path("/shop"), 0.25, 300, 160, 2.5)] * 2)
    sampler = QueueSampler(Pages().fetch, quota=lambda _pid: next(quotas))
    watched = stack(process("shop-1", "shop", None), process("shop-2", "shop", None), ops_url=None)
    list(sampler.sample(2, watched))
    assert list(sampler.sample(4, watched)) == [
        QueueSample(4, "shop", "cpu", limit=0.25, passed_count=200, waited_s=1.5, refused_count=150)
    ]


def test_a_page_that_is_not_to_be_had_leaves_its_queues_out() -> None:
    sampler = QueueSampler(Pages().fetch, quota=lambda _pid: None)
    unreachable = stack(process("payment", "payment", 6001), ops_url="http://127.0.0.1:5001/ops/truth")
    assert list(sampler.sample(4, unreachable)) == []


def test_a_foreign_shop_tells_no_queues() -> None:
    assert list(QueueSampler(Pages().fetch, quota=lambda _pid: None).sample(4, stack(ops_url=None))) == []


@pytest.mark.parametrize("text", ["", "<html>no metrics here</html>", "shop_places_in_use\n"])
def test_a_page_that_is_none_has_no_totals(text: str) -> None:
    pages = Pages()
    pages.texts["http://127.0.0.1:5000/metrics"] = text
    assert list(QueueSampler(pages.fetch, quota=lambda _pid: None).sample(4, stack())) == []


def test_classes_of_histograms_are_passed_over() -> None:
    assert totals('x_bucket{le="1"} 3\nx_sum{a="b"} 0.5\n') == {'x_sum{a="b"}': 0.5}
