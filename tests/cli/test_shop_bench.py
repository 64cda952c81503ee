"""The arithmetic of the bench's sections about the shop, without a shop."""

import random

import pytest

from lonjak.bench.figures import Spread
from lonjak.bench.section import Settings
from lonjak.bench.shop_buyer import Bought
from lonjak.bench.shop_connection import Answer
from lonjak.bench.shop_orders import order_costs
from lonjak.bench.shop_pages import page_rate
from lonjak.bench.shop_reader import Read, draw_product
from lonjak.commands.bench import chosen


def settings(shop_size: float) -> Settings:
    return Settings(rounds=1, duration_s=1.0, shopper_count=100, server_cpu=0, contender_cpu=1, shop_size=shop_size)


def test_a_smaller_bench_has_smaller_shops_but_never_an_empty_one() -> None:
    assert settings(1.0).share_of(200_000) == 200_000
    assert settings(0.001).share_of(200_000) == 200
    assert settings(0.0001).share_of(1000) == 1


def test_sections_about_the_shop_come_last() -> None:
    assert chosen("seeding,order-cost,product-page,truth") == ["truth", "product-page", "order-cost", "seeding"]


def test_products_are_drawn_from_the_whole_catalogue_the_popular_ones_most() -> None:
    rng = random.Random(1)
    drawn = [draw_product(10, rng) for _ in range(4000)]
    assert set(drawn) == set(range(1, 11))
    assert drawn.count(1) / len(drawn) == pytest.approx(0.289, abs=0.02)  # log 2 / log 11
    assert drawn.count(10) / len(drawn) == pytest.approx(0.040, abs=0.01)  # log 11/10 / log 11


def test_pages_a_second_are_those_of_the_closed_loops_and_times_those_at_half() -> None:
    closed = [Read(2.0, 2000, 0, 1.0, 8.0, 9.0, 10.0), Read(2.0, 4000, 0, 2.0, 8.0, 9.0, 10.0)]
    half = [Read(2.0, 1000, 0, 0.5, 1.0, 4.0, 6.0), Read(2.0, 2000, 3, 1.0, 2.0, 6.0, 8.0)]
    found = page_rate(200, closed, half)
    assert found.per_s == Spread(median=1500.0, low=1000.0, high=2000.0)
    assert (found.worker_cpu_ms, found.half_per_s) == (0.5, 750.0)
    assert (found.half_p50_ms, found.half_p99_ms, found.half_p999_ms) == (1.5, Spread(5.0, 4.0, 6.0), 7.0)
    assert found.failed_count == 3


def test_an_order_costs_what_worker_and_database_used_and_is_compared_within_its_round() -> None:
    few = [Bought(1.0, 100, 0, 0.3, 0.2, 20.0), Bought(1.0, 10, 0, 0.3, 0.2, 200.0)]
    many = [Bought(1.0, 100, 0, 0.4, 0.2, 22.0), Bought(1.0, 10, 0, 0.4, 0.2, 220.0)]
    base, costly = order_costs({1: few, 1000: many})
    assert base.cpu_ms == Spread(pytest.approx(27.5), pytest.approx(5.0), pytest.approx(50.0))
    assert (base.cpu_ratio, base.wall_ratio) == (1.0, 1.0)
    assert costly.past_order_count == 1000
    assert (costly.cpu_ratio, costly.wall_ratio) == (pytest.approx(1.2), pytest.approx(1.1))
    assert (costly.worker_cpu_ms, costly.database_cpu_ms) == (pytest.approx(22.0), pytest.approx(11.0))


def test_nothing_bought_is_no_division_by_zero() -> None:
    assert Bought(1.0, 0, 5, 0.1, 0.1, 0.0).cpu_ms_per_order == pytest.approx(200.0)


def test_headers_are_found_whatever_their_case() -> None:
    answer = Answer(303, [(b"Set-Cookie", b"a=1"), (b"set-cookie", b"b=2")])
    assert (answer.header("set-cookie"), answer.header("location")) == ("a=1", "")
