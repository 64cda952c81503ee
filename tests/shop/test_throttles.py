"""A throttle is written TIER.KIND=VALUE."""

import pytest

from reference_shop.throttles import Throttle, parse_throttle


@pytest.mark.parametrize(
    ("text", "throttle"),
    [
        ("shop.concurrency=20", Throttle("shop", "concurrency", 20)),
        ("payment.delay-ms=250", Throttle("payment", "delay-ms", 250.0)),
        ("payment.delay-ms=0", Throttle("payment", "delay-ms", 0.0)),
        ("shop.delay-ms=2.5", Throttle("shop", "delay-ms", 2.5)),
        ("database.cpu=0.5", Throttle("database", "cpu", 0.5)),
        ("edge.cpu=1", Throttle("edge", "cpu", 1.0)),
        ("  shop.concurrency=1 ", Throttle("shop", "concurrency", 1)),
    ],
)
def test_a_throttle_is_read(text: str, throttle: Throttle) -> None:
    assert parse_throttle(text) == throttle


@pytest.mark.parametrize("text", ["shop.concurrency=20", "payment.delay-ms=2.5", "database.cpu=0.125", "edge.cpu=1"])
def test_a_throttle_is_written_as_it_is_read(text: str) -> None:
    assert str(parse_throttle(text)) == text


def test_a_concurrency_is_a_whole_number() -> None:
    assert isinstance(parse_throttle("shop.concurrency=20").value, int)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "throttle '' is not TIER.KIND=VALUE, as in shop.delay-ms=20"),
        ("shop.concurrency", "throttle 'shop.concurrency' is not TIER.KIND=VALUE, as in shop.delay-ms=20"),
        ("shop=3", "throttle 'shop=3' is not TIER.KIND=VALUE, as in shop.delay-ms=20"),
        ("shop.cpu=", "throttle 'shop.cpu=' is not TIER.KIND=VALUE, as in shop.delay-ms=20"),
        (
            "cache.cpu=0.5",
            "throttle 'cache.cpu=0.5': there is no tier 'cache'; the tiers are shop, payment, database, edge",
        ),
        (
            "shop.memory=5",
            "throttle 'shop.memory=5': there is no kind 'memory'; the kinds are concurrency, delay-ms, cpu",
        ),
        (
            "shop.concurrency=0",
            "throttle 'shop.concurrency=0': concurrency must be a whole number from 1 on, not '0'",
        ),
        (
            "edge.cpu=1.5",
            "throttle 'edge.cpu=1.5': cpu must be a share of one core, more than 0 and at most 1, not '1.5'",
        ),
        (
            "shop.delay-ms=-1",
            "throttle 'shop.delay-ms=-1': delay-ms must be a number of milliseconds from 0 on, not '-1'",
        ),
    ],
)
def test_a_wrong_throttle_is_answered_with_what_is_valid(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=r"^throttle ") as caught:
        parse_throttle(text)
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    "value", ["concurrency=2.5", "concurrency=ten", "concurrency=²", "cpu=0", "cpu=nan", "delay-ms=inf", "delay-ms=1,5"]
)
def test_a_value_that_is_no_such_number_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        parse_throttle(f"shop.{value}")
