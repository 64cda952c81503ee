"""Price files: what they say, and everything that is wrong with them at once."""

from pathlib import Path

import pytest

from analysis.planning.prices import read_prices
from loadgen.errors import ConfigProblem
from loadgen.exitcodes import ExitCode

EXAMPLE = Path(__file__).parents[3] / "docs" / "prices.example.toml"
TIERS = ("edge", "shop", "database")


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "prices.toml"
    path.write_text(text)
    return path


def problems(path: Path) -> tuple[str, ...]:
    with pytest.raises(ConfigProblem) as raised:
        read_prices(path, TIERS)
    assert raised.value.exit_code == ExitCode.USAGE
    return tuple(problem.removeprefix(f"{path}").removeprefix(": ") for problem in raised.value.problems)


def test_the_example_is_read():
    prices = read_prices(EXAMPLE, TIERS)
    assert (prices.currency, prices.traffic_gb) == ("USD", 0.08)
    assert [prices.of_worker(tier) for tier in TIERS] == [0.04, 0.04, 0.11]
    assert prices.unused == ("payment",)


def test_everything_that_is_wrong_is_told_at_once(tmp_path):
    path = written(tmp_path, 'curency = "USD"\n[worker_hour]\nshop = -1\ndatabase = "much"\n[edge]\ntrafic_gb = 1\n')
    assert problems(path) == (
        'currency is missing or empty: write currency = "USD"',
        "[worker_hour] shop is -1, but must be a number from 0 to 1e+12",
        "[worker_hour] database is 'much', but must be a number from 0 to 1e+12",
        "[worker_hour] has no price for edge: give one each, or one to all of them as other",
        "[edge] traffic_gb is missing: what 10^9 bytes to shoppers cost, 0 where it costs nothing",
        "curency is not a key; known: currency, edge, worker_hour",
        "[edge] trafic_gb is not a key; known: traffic_gb",
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("currency = ", " is not TOML: "),
        ("currency = 3\nworker_hour = 4\nedge = []\n", "currency is 3, but must be a string"),
        (
            'currency = "X"\n[worker_hour]\nother = nan\n[edge]\ntraffic_gb = inf\n',
            "other is nan, but must be a number",
        ),
    ],
)
def test_what_is_no_price_file_is_told_in_a_sentence(tmp_path, text, told):
    assert told in "\n".join(problems(written(tmp_path, text)))


def test_a_file_that_is_not_there_is_told(tmp_path):
    assert problems(tmp_path / "none.toml") == (" cannot be read: No such file or directory",)
