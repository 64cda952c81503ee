"""Who waits for what in the stack: every few seconds, from the metrics of shop and provider and the kernel's quotas.

    shop      places       requests in work, and those that wait for a place
    database  connections  the shop's pools, and those who wait for a connection
    payment   charges      those that are being decided, and those that wait for that
    payment   calls        the shop's calls of the provider; refused: by bulkhead and breaker, before they were made
    (a tier)  cpu          its share of a processor, where it has one that is limited: limit and in use in cores

The metrics are in docs/shop-metrics.md. A shop that has none of them has no such rows.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import requests
from prometheus_client.parser import text_string_to_metric_families

from loadgen.quotas import Quota, quota_of
from loadgen.records import Json
from loadgen.stack import Stack, StackProcess

EVERY_S = 2  # the shop needs some ten milliseconds to tell its metrics
_LIMIT_S = 1.0
_PAYMENT = "payment"
Totals = Mapping[str, float]  # by name, labels in braces behind it
Fetch = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class QueueSample:
    """A queue as it stood at a look; the counts and `waited_s` are of the time since the look before.

    `limit` is how many (cores, for `cpu`) may be in use at once, 0 where nobody says; `waited_s` adds up what those who
    passed had waited (for `calls`: what they took; for `cpu`: how long the tier was held back). Of `cpu`, passed are
    the kernel's periods, and refused those in which the tier was held back.
    """

    elapsed_s: int
    tier: str
    queue: str
    limit: float = 0.0
    in_use: float = 0.0
    waiting_count: int = 0
    passed_count: int = 0
    waited_s: float = 0.0
    refused_count: int = 0

    def as_row(self) -> dict[str, Json]:
        """The row of queues.csv by column name."""
        row: dict[str, Json] = {name: getattr(self, name) for name in self.__slots__}
        return row | {name: round(float(getattr(self, name)), 6) for name in ("limit", "in_use", "waited_s")}


class QueueSampler:
    """Looks at a stack's queues; what has only grown since the last look is told as a difference."""

    def __init__(self, fetch: Fetch | None = None, quota: Callable[[int], Quota | None] = quota_of) -> None:
        self._fetch = fetch or _fetch
        self._quota = quota
        self._before: dict[str, float] = {}

    def sample(self, elapsed_s: int, stack: Stack) -> Iterator[QueueSample]:
        """The queues that can be seen; a page that is not to be had now leaves its queues out."""
        if stack.ops_url:
            parts = urlsplit(stack.ops_url)
            yield from self._of_shop(elapsed_s, self._page(urlunsplit((*parts[:2], "/metrics", "", ""))))
        for process in stack.processes:
            if process.tier == _PAYMENT and process.port and process.ready:
                yield from self._of_provider(elapsed_s, self._page(f"http://127.0.0.1:{process.port}/metrics"))
        yield from self._of_quotas(elapsed_s, stack.processes)

    def _of_shop(self, elapsed_s: int, told: Totals) -> Iterator[QueueSample]:
        if "shop_places_in_use" in told:
            yield QueueSample(
                elapsed_s,
                "shop",
                "places",
                limit=told.get("shop_places", 0.0),
                in_use=told["shop_places_in_use"],
                waiting_count=int(told.get("shop_places_waiting", 0.0)),
                refused_count=int(self._grown(told, "shop_refusals_total", "admission", "load-shedding")),
            )
        if "shop_database_connections_in_use" in told:
            yield QueueSample(
                elapsed_s,
                "database",
                "connections",
                limit=told.get("shop_database_connections", 0.0),
                in_use=told["shop_database_connections_in_use"],
                waiting_count=int(told.get("shop_database_connections_waiting", 0.0)),
                passed_count=int(self._grown(told, "shop_database_connection_wait_seconds_count")),
                waited_s=self._grown(told, "shop_database_connection_wait_seconds_sum"),
            )
        if any(name.startswith("shop_payment_call_duration_seconds_count") for name in told):
            yield QueueSample(
                elapsed_s,
                _PAYMENT,
                "calls",
                passed_count=int(self._grown(told, "shop_payment_call_duration_seconds_count")),
                waited_s=self._grown(told, "shop_payment_call_duration_seconds_sum"),
                refused_count=int(self._grown(told, "shop_refusals_total", "checkout-bulkhead", "circuit-breaker")),
            )

    def _of_provider(self, elapsed_s: int, told: Totals) -> Iterator[QueueSample]:
        if "payment_charges_waiting" in told:
            yield QueueSample(
                elapsed_s,
                _PAYMENT,
                "charges",
                in_use=told.get("payment_charges_in_work", 0.0),
                limit=told.get("payment_desks", 0.0),
                waiting_count=int(told["payment_charges_waiting"]),
            )

    def _of_quotas(self, elapsed_s: int, processes: Iterable[StackProcess]) -> Iterator[QueueSample]:
        seen = set()
        for process in processes:
            quota = self._quota(process.pid)
            if quota is None or quota.path in seen:
                continue
            seen.add(quota.path)
            name = f"{quota.path}"
            told = {f"{name} periods": quota.period_count, f"{name} held": quota.held_back_count}
            yield QueueSample(
                elapsed_s,
                process.tier,
                "cpu",
                limit=quota.cores,
                passed_count=int(self._grown(told, f"{name} periods")),
                waited_s=self._grown({f"{name} held_s": quota.held_back_s}, f"{name} held_s"),
                refused_count=int(self._grown(told, f"{name} held")),
            )

    def _page(self, url: str) -> Totals:
        try:
            return totals(self._fetch(url))
        except (requests.RequestException, ValueError):
            return {}

    def _grown(self, told: Totals, name: str, *labels: str) -> float:
        """By how much all that bears a name (and one of these labels) grew; 0 at first, and after a new start."""
        now = sum(
            value
            for key, value in told.items()
            if key.partition("{")[0] == name and (not labels or any(f'"{label}"' in key for label in labels))
        )
        key = f"{name} {labels}"
        before, self._before[key] = self._before.get(key, now), now
        return max(0.0, now - before)


def totals(text: str) -> Totals:
    """The samples of a page in Prometheus' text format, without the classes of histograms, which are most of it."""
    lines = (line for line in text.splitlines() if line and not line.startswith("#") and "_bucket{" not in line)
    found: dict[str, float] = {}
    for family in text_string_to_metric_families("\n".join(lines) + "\n"):
        for sample in family.samples:
            labels = ",".join(f'{name}="{value}"' for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = float(sample.value)
    return found


def _fetch(url: str) -> str:
    with requests.get(url, timeout=_LIMIT_S, allow_redirects=False) as response:
        return response.text if response.status_code == requests.codes.ok else ""
