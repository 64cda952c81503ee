"""What the shop knows of its payment provider: a charge per idempotency key, and the ways it can end."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from uuid import UUID


class ChargeState(StrEnum):
    """How a charge ended. A voided key was never charged and never will be; a refunded one was, and was given back."""

    CAPTURED = "captured"
    DECLINED = "declined"
    VOIDED = "voided"
    REFUNDED = "refunded"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ChargeRequest:
    """One attempt to take money; the same key never takes it twice. The provider keeps `order_id` in its books."""

    key: UUID
    amount_idr: int
    card_token: str
    order_id: int


@dataclass(frozen=True, slots=True)
class ProviderCharge:
    """A charge in the provider's own books; `at` (epoch seconds) is when it got into its state.

    `order_id` and `amount_idr` are 0 for a key that was voided before anybody charged it: the provider heard neither.
    """

    key: UUID
    order_id: int
    amount_idr: int
    state: ChargeState
    at: float


class KeyReused(Exception):
    """The provider has seen this key with another amount, card or order."""


class PaymentProvider(Protocol):
    """The provider as the services see it. None of these raises for a silent provider: the answer is `UNKNOWN`.

    All are safe to repeat: the key, not the number of calls, decides what happens to the money.
    """

    async def charge(self, request: ChargeRequest) -> ChargeState:
        """Take the money, once per key; raises KeyReused, and PaymentsUnavailable if the provider was not asked."""

    async def look_up(self, key: UUID) -> ChargeState:
        """Return how the charge with this key ended; `UNKNOWN` also when the provider never heard of it."""

    async def void(self, key: UUID) -> ChargeState:
        """Make sure that this key will never be charged from now on; return how it ended."""

    async def refund(self, key: UUID) -> ChargeState:
        """Give a captured charge back; `REFUNDED`, or `UNKNOWN` if it is not known whether that happened."""

    async def charges_since(self, since: float) -> list[ProviderCharge] | None:
        """Return what was decided or refunded since an instant (epoch seconds); None for a silent provider."""

    def available(self) -> bool:
        """Return whether a charge would be passed on to the provider now; to be asked before an order is placed."""
