"""What workers and traffic cost, from a TOML file; everything that is wrong with it is told at once.

currency = "USD", [worker_hour] with a price by tier (`other` for the rest), [edge] traffic_gb.
"""

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from loadgen.errors import ConfigProblem
from loadgen.fields import Fields

OTHER = "other"
_HIGHEST = 1e12


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices in one currency: of a worker (one processor) per hour, by tier, and of 10^9 bytes to shoppers."""

    currency: str
    worker_hour: Mapping[str, float]
    traffic_gb: float
    unused: tuple[str, ...] = ()

    def of_worker(self, tier: str) -> float:
        """A worker's hour in a tier, which `read_prices` made sure is priced."""
        return self.worker_hour[tier]


def read_prices(path: Path, tiers: Collection[str]) -> Prices:
    """The prices in a file, for these tiers; ConfigProblem with every problem of the file."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigProblem([f"{path} cannot be read: {error.strerror}"]) from None
    except ValueError as error:  # not TOML, not UTF-8, or a number of thousands of digits
        raise ConfigProblem([f"{path} is not TOML: {error}"]) from None
    root = Fields(dict(table), "")
    currency = _currency(root)
    worker_hour, unused = _workers(root.table("worker_hour"), root.mapping("worker_hour"), tiers)
    traffic_gb = _needed(root.table("edge"), "traffic_gb", "what 10^9 bytes to shoppers cost")
    if problems := list(dict.fromkeys(root.finish())):
        raise ConfigProblem([f"{path}: {problem}" for problem in problems])
    return Prices(currency, worker_hour, traffic_gb, unused)


def _currency(root: Fields) -> str:
    currency = root.text("currency", "").strip()
    if root.sound("currency") and not currency:
        root.problem('currency is missing or empty: write currency = "USD"')
    return currency


def _workers(
    given: Fields, named: Mapping[str, object], tiers: Collection[str]
) -> tuple[dict[str, float], tuple[str, ...]]:
    """A price for every tier, and the names that were priced for nothing: a file may serve runs of other shops too."""
    prices = {name: given.number(name, 0.0, low=0.0, high=_HIGHEST) for name in named}
    missing = [tier for tier in tiers if tier not in prices and OTHER not in prices]
    if missing:
        given.problem(f"has no price for {', '.join(missing)}: give one each, or one to all of them as {OTHER}")
    unused = tuple(name for name in prices if name not in tiers and name != OTHER)
    return {tier: prices.get(tier, prices.get(OTHER, 0.0)) for tier in tiers}, unused


def _needed(given: Fields, key: str, meaning: str) -> float:
    if given.value(key) is None:
        given.problem(f"{key} is missing: {meaning}, 0 where it costs nothing")
    return given.number(key, 0.0, low=0.0, high=_HIGHEST)
