"""What the shop knows of its payment provider: a charge per idempotency key, and four ways it can end."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from uuid import UUID


class ChargeState(StrEnum):
    """How a charge ended. A voided key was never charged and never will be."""

    CAPTURED = "captured"
    DECLINED = "declined"
    VOIDED = "voided"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ChargeRequest:
    """One attempt to take money; the same key never takes it twice."""

    key: UUID
    amount_idr: int
    card_token: str


class KeyReused(Exception):
    """The provider has seen this key with another amount or card."""


class PaymentProvider(Protocol):
    """The provider as the services see it. None of these raises for a silent provider: the answer is `UNKNOWN`."""

    async def charge(self, request: ChargeRequest) -> ChargeState:
        """Take the money, once per key; raises KeyReused."""

    async def look_up(self, key: UUID) -> ChargeState:
        """Return how the charge with this key ended; `UNKNOWN` also when the provider never heard of it."""

    async def void(self, key: UUID) -> ChargeState:
        """Make sure that this key will never be charged from now on; return how it ended."""
