"""The ways in which units of a product move. Always: on hand + reserved + sold - returned = initial."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Movement(StrEnum):
    """Names of the movements, as the ledger holds them."""

    DELIVER = "deliver"
    WITHDRAW = "withdraw"
    RESERVE = "reserve"
    RELEASE = "release"
    SELL = "sell"
    RETURN = "return"


@dataclass(frozen=True, slots=True)
class Effect:
    """By how much one unit's movement changes each count."""

    initial: int = 0
    on_hand: int = 0
    reserved: int = 0
    sold: int = 0
    returned: int = 0


EFFECTS: Mapping[Movement, Effect] = MappingProxyType(
    {
        Movement.DELIVER: Effect(initial=1, on_hand=1),
        Movement.WITHDRAW: Effect(initial=-1, on_hand=-1),
        Movement.RESERVE: Effect(on_hand=-1, reserved=1),
        Movement.RELEASE: Effect(on_hand=1, reserved=-1),
        Movement.SELL: Effect(reserved=-1, sold=1),
        Movement.RETURN: Effect(on_hand=1, returned=1),
    }
)
