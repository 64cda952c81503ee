"""All that shop and payment provider measure of themselves, by name; `/metrics` tells it.

One line counts: `metrics.orders.add("paid")`, `metrics.places_waiting.set(3)`, `with metrics.lock_wait("stock"): ...`.
What a transaction did is counted after its end: before, it may not have happened. Names and units are those of
https://prometheus.io/docs/practices/naming/; amounts are in whole rupiah.
"""

from collections.abc import Callable
from functools import partial
from time import perf_counter
from typing import Self

from reference_shop.instruments import Figures, Stopwatch

# A page takes milliseconds, a shopper leaves after seconds; a lock or a connection is there at once, or it is not.
_REQUEST_BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_WAIT_BOUNDS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
# By the first digit of a status; 0 for who was gone before there was an answer.
_STATUS_CLASSES = ("none", "1xx", "2xx", "3xx", "4xx", "5xx")
_ORDER_STATES = ("pending", "paid", "cancelled", "returning", "returned")
_CHARGE_STATES = ("captured", "declined", "voided", "refunded")
_BREAKER_STATES = ("closed", "half_open", "open")

shop = Figures("shop")

requests = shop.counted("requests", "Requests, by page kind and class of status", "kind", "status")
request_durations = shop.timed(
    "request_duration_seconds", "Time to serve a request", "kind", bounds_s=_REQUEST_BOUNDS_S
)
requests_in_progress = shop.level("requests_in_progress", "Requests that are being served or wait for a place")
places = shop.level("places", "Places of the workers")
places_in_use = shop.level("places_in_use", "Places of the workers that are taken")
places_waiting = shop.level("places_waiting", "Requests that wait for a place")

connection_waits = shop.timed(
    "database_connection_wait_seconds", "Wait for a connection of the pool, in vain too", bounds_s=_WAIT_BOUNDS_S
)
connections = shop.level("database_connections", "Connections that the pools may have")
connections_in_use = shop.level("database_connections_in_use", "Connections that the pools have lent")
connections_waiting = shop.level("database_connections_waiting", "Those who wait for a connection of the pools")
_lock_waits = shop.timed(
    "lock_wait_seconds", "Time to take row locks, by what they lock", "lock", bounds_s=_WAIT_BOUNDS_S
)

_payment_calls = shop.timed(
    "payment_call_duration_seconds",
    "Calls of the payment provider, by operation and outcome",
    "operation",
    "outcome",
    bounds_s=_REQUEST_BOUNDS_S,
)
payment_retries = shop.counted("payment_retries", "Calls of the payment provider that repeated an earlier one")
_breaker_state = shop.level("breaker_state", "Workers by their circuit breaker's state", "state", known=_BREAKER_STATES)
refusals = shop.counted("refusals", "Requests that a protection refused", "protection")

orders = shop.counted("orders", "Orders that reached a state", "state", known=_ORDER_STATES)
revenue_idr = shop.counted("revenue_idr", "Totals of the orders that were paid")
units_sold = shop.counted("units_sold", "Units in the orders that were paid")
stock_outs = shop.counted("stock_outs", "Refusals for lack of stock")
carts_opened = shop.counted("carts_opened", "Carts that got their first product")
logins = shop.counted("logins", "Shoppers who logged in")
coupon_redemptions = shop.counted("coupon_redemptions", "Orders that were placed with a coupon")
reservations_made = shop.counted("reservations_made", "Reservations of flash sales")
reservations_expired = shop.counted("reservations_expired", "Reservations that were not paid in time")
orders_reconciled = shop.counted("orders_reconciled", "Open orders that reconciliation brought to an end", "state")

payment = Figures("payment")

provider_requests = payment.counted("requests", "Requests, by kind and class of status", "kind", "status")
provider_durations = payment.timed(
    "request_duration_seconds", "Time to serve a request", "kind", bounds_s=_REQUEST_BOUNDS_S
)
provider_in_progress = payment.level("requests_in_progress", "Requests that are being served", "kind")
desks = payment.level("desks", "Charges that may be decided at once, where that is limited")
charges_in_work = payment.level("charges_in_work", "Charges that are being decided")
charges_waiting = payment.level("charges_waiting", "Charges that wait to be decided")
charges = payment.counted("charges", "Charges that reached a state", "state", known=_CHARGE_STATES)
captured_idr = payment.counted("captured_idr", "Amounts that were captured, refunded ones too")
journal_flushes = payment.timed(
    "journal_flush_duration_seconds", "Time to write charges to the disk", bounds_s=_WAIT_BOUNDS_S
)


def status_class(status: int) -> str:
    """Return `2xx` for 200, and so on; `none` for 0."""
    return _STATUS_CLASSES[status // 100]


def lock_wait(lock: str) -> Stopwatch:
    """Return a context manager to be put around the query that takes a lock."""
    return _lock_waits.time(lock)


def follow_breaker(read: Callable[[], str]) -> None:
    """Tell from now on the state of this worker's circuit breaker: `closed`, `half_open` or `open`."""

    def is_in(state: str) -> float:
        return read() == state

    for state in _BREAKER_STATES:
        _breaker_state.follow(partial(is_in, state), state)


def charge_decided(state: str, amount_idr: int) -> None:
    """Count a charge that the provider has in its books now."""
    charges.add(state)
    if state == "captured":
        captured_idr.add(amount=amount_idr)


class PaymentCall:
    """A context manager that counts one call of the payment provider.

    The outcome that the block sets is the charge's state; one that was left before is `given_up`.
    """

    __slots__ = ("_operation", "_started_at", "outcome")

    def __init__(self, operation: str) -> None:
        """Call for `charge`, `look_up`, `void` or `refund`."""
        self._operation = operation
        self.outcome = "given_up"

    def __enter__(self) -> Self:
        """Start."""
        self._started_at = perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        """Count."""
        _payment_calls.observe(perf_counter() - self._started_at, self._operation, self.outcome)
