"""Which processors the shop gets and which the load generator, so that neither starves the other."""

import os
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CpuSets:
    """Disjoint sets of processor numbers, unless there is only one processor."""

    stack: tuple[int, ...]
    generator: tuple[int, ...]

    @property
    def disjoint(self) -> bool:
        """Whether the generator has processors of its own."""
        return not set(self.stack) & set(self.generator)


def split(available: frozenset[int] | None = None) -> CpuSets:
    """The last of the available processors for the generator, the rest for the stack."""
    cpus = sorted(available if available is not None else os.sched_getaffinity(0))
    return CpuSets(stack=tuple(cpus[:-1] or cpus), generator=(cpus[-1],))
