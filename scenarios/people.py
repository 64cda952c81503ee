"""Invented people: the addresses, accounts and card tokens that shoppers type into forms."""

from __future__ import annotations

import secrets
from collections import deque
from random import Random

from scenarios.storefront import Account, Address

_PLACES = (
    ("Bandung", "Jawa Barat", "40111"),
    ("Jakarta Selatan", "DKI Jakarta", "12110"),
    ("Makassar", "Sulawesi Selatan", "90111"),
    ("Medan", "Sumatera Utara", "20111"),
    ("Semarang", "Jawa Tengah", "50131"),
    ("Surabaya", "Jawa Timur", "60271"),
)
_KEPT_ACCOUNTS = 1000


def invent_address(rng: Random) -> Address:
    """An address that a shop's form takes; the phone number lies in no operator's range."""
    city, province, postcode = rng.choice(_PLACES)
    return Address(
        recipient=f"Pembeli {rng.randrange(1_000_000)}",
        phone=f"0899{rng.randrange(10**8):08d}",
        street=f"Jalan Contoh No. {rng.randrange(1, 200)}",
        city=city,
        province=province,
        postcode=postcode,
    )


def invent_account() -> Account:
    """An account nobody has: not drawn from the run's seed, since a shop keeps the accounts of earlier runs."""
    mark = secrets.token_hex(8)
    return Account(name=f"Pembeli {mark[:6]}", email=f"pembeli-{mark}@example.com", password=secrets.token_hex(12))


def invent_card(rng: Random) -> str:
    """A token as a payment page's script would have got it for a card; it stands for none."""
    return f"tok_{rng.getrandbits(64):016x}"


class AccountBook:
    """Accounts that shoppers of this process made and nobody is using: some later shopper comes back with one."""

    def __init__(self) -> None:
        self._idle: deque[Account] = deque(maxlen=_KEPT_ACCOUNTS)

    def take(self) -> Account | None:
        """The account that has been idle longest, which is then its taker's alone."""
        return self._idle.popleft() if self._idle else None

    def put_back(self, account: Account) -> None:
        """An account whose shopper has left."""
        self._idle.append(account)
