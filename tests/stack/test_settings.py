import pytest

from reference_shop.stack.identity import ProcessIdentity
from reference_shop.stack.problems import SettingsProblem
from reference_shop.stack.settings import StackSettings


def test_all_problems_are_reported_at_once() -> None:
    settings = StackSettings(port=70_000, edge="akamai", workers=0, products=0, seed=-1, payment_latency_ms=-5)
    with pytest.raises(SettingsProblem) as caught:
        settings.check()
    assert caught.value.problems == (
        "port is 70000: it must be between 0 and 65535",
        "workers is 0: it must be between 1 and 64",
        "products is 0: it must be between 1 and 1000000",
        "seed is -1: it must be between 0 and 2147483647",
        "payment-latency-ms is -5: it must be between 0 and 60000",
        "edge profile 'akamai' is unknown: choose one of direct, nginx",
    )


@pytest.mark.parametrize("url", ["mysql://127.0.0.1/shop", "postgresql://", "postgresql://127.0.0.1:many/shop", ""])
def test_a_database_url_that_cannot_be_one_is_a_problem(url: str) -> None:
    assert len(StackSettings(database_url=url).problems()) == 1


def test_the_processes_may_not_run_as_root() -> None:
    assert StackSettings(run_as="root").problems() == [
        "LONJAK_RUN_AS names 'root', but PostgreSQL refuses to run as root"
    ]


def test_the_processes_need_a_user_that_exists() -> None:
    assert StackSettings(run_as="nobody-at-all").problems() == [
        "LONJAK_RUN_AS names the user 'nobody-at-all', which this machine does not have"
    ]


def test_settings_survive_the_way_to_the_supervisor() -> None:
    settings = StackSettings(stack_cpus=(0, 2), owner=ProcessIdentity(7, 9), database_url="postgresql://a:b@c/d")
    assert StackSettings.from_json(settings.as_json()) == settings
