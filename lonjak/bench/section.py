"""What a section of the bench is given, and what it hands back: figures for programs, a table and a sentence."""

import os
from dataclasses import dataclass
from typing import Any

from loadgen.cpus import split


@dataclass(frozen=True, slots=True)
class Settings:
    """How long and how often is measured. `server_cpu` and `contender_cpu` are the same on a machine with one.

    shop_size: what the shops of the bench hold, as a share of their full sizes.
    """

    rounds: int
    duration_s: float
    shopper_count: int
    server_cpu: int
    contender_cpu: int
    shop_size: float = 1.0

    @classmethod
    def here(cls, rounds: int, duration_s: float, shopper_count: int, shop_size: float) -> "Settings":
        """For this machine: the first processor for the server, the last for who is measured."""
        first, last = min(os.sched_getaffinity(0)), split().generator[0]
        return cls(rounds, duration_s, shopper_count, first, last, shop_size)

    def share_of(self, full_count: int) -> int:
        """How many of something a shop of the bench holds whose full size has `full_count` of it."""
        return max(1, round(full_count * self.shop_size))

    @property
    def disjoint(self) -> bool:
        """Whether server and contender have a processor each."""
        return self.server_cpu != self.contender_cpu


@dataclass(frozen=True, slots=True)
class Section:
    """One section's outcome: `rows` and `recordings` are dataclasses, for programs; the rest is for people.

    headings, lines: the rows as a table; recordings: what our own runs wrote down; skipped: why there is nothing.
    """

    title: str
    sentence: str = ""
    headings: tuple[str, ...] = ()
    lines: tuple[tuple[str, ...], ...] = ()
    rows: tuple[Any, ...] = ()
    recordings: tuple[Any, ...] = ()
    skipped: str = ""
