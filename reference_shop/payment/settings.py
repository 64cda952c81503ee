"""What the provider is told on its standard input: one JSON document."""

import json
import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class Latency(Protocol):
    """How long the provider thinks about a charge."""

    def draw(self, rng: random.Random) -> float:
        """Return seconds."""


@dataclass(frozen=True, slots=True)
class Constant:
    """Always the same time."""

    delay_s: float

    def draw(self, rng: random.Random) -> float:  # noqa: ARG002  (the protocol's)
        """Return the constant."""
        return self.delay_s


@dataclass(frozen=True, slots=True)
class Lognormal:
    """Mostly near the median, sometimes far above: `exp(N(ln median, sigma))`."""

    median_s: float
    sigma: float

    def draw(self, rng: random.Random) -> float:
        """Return one draw."""
        return rng.lognormvariate(math.log(self.median_s), self.sigma)


@dataclass(frozen=True, slots=True)
class PaymentSettings:
    """See `from_json` for the names on the wire.

    `concurrency` is how many charges are decided at once (None: any number); `delay_s` is added to each.
    """

    listen_fd: int
    latency: Latency
    decline_ratio: float
    seed: int
    journal: Path
    run_as: str | None
    concurrency: int | None = None
    delay_s: float = 0.0
    access_log: Path | None = None

    @staticmethod
    def from_json(text: str) -> "PaymentSettings":
        """Read the document; raises ValueError, KeyError or TypeError for one that is not as it must be."""
        document = json.loads(text)
        ratio = float(document["decline_ratio"])
        if not 0 <= ratio <= 1:
            raise ValueError(f"decline_ratio is {ratio}, it must be between 0 and 1")
        return PaymentSettings(
            listen_fd=int(document["listen_fd"]),
            latency=_latency(document["latency"]),
            decline_ratio=ratio,
            seed=int(document["seed"]),
            journal=Path(document["journal"]),
            run_as=document.get("run_as"),
            concurrency=_concurrency(document.get("concurrency")),
            delay_s=_delay_s(document.get("delay_ms", 0)),
            access_log=Path(document["access_log"]) if document.get("access_log") else None,
        )


def _concurrency(value: object) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 1):
        return value
    raise ValueError(f"concurrency is {value!r}, it must be a whole number of at least 1")


def _delay_s(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf:
        return value / 1000
    raise ValueError(f"delay_ms is {value!r}, it must be a number of at least 0")


def _latency(document: Mapping[str, object]) -> Latency:
    match document:
        case {"distribution": "constant", "ms": int() | float() as delay_ms} if delay_ms >= 0:
            return Constant(delay_ms / 1000)
        case {
            "distribution": "lognormal",
            "median_ms": int() | float() as median_ms,
            "sigma": int() | float() as sigma,
        } if median_ms > 0 and sigma >= 0:
            return Lognormal(median_ms / 1000, sigma)
    raise ValueError(f"latency {document!r} must be constant with ms, or lognormal with median_ms and sigma")
