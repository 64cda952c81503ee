"""From measurements to figures: medians with their range, and ratios of what was measured in the same round. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Window:
    """What a contender did while it was watched: requests as the server counted them, processor time by the kernel.

    server_cpu_s: of nginx's; others_cpu_s: what neither of the two used of the contender's processor.
    """

    seconds: float
    request_count: int
    cpu_s: float
    server_cpu_s: float = 0.0
    others_cpu_s: float = 0.0

    @property
    def per_s(self) -> float:
        """Requests per second."""
        return self.request_count / self.seconds

    @property
    def per_cpu_s(self) -> float:
        """Requests per second of processor time: what a contender that left its processor idle could have made."""
        return self.request_count / max(self.cpu_s, 0.01)  # the kernel's own resolution

    @property
    def cpu_ratio(self) -> float:
        """How much of one processor it used."""
        return self.cpu_s / self.seconds


@dataclass(frozen=True, slots=True)
class Spread:
    """One figure over several rounds."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """The spread of at least one value."""
        return cls(median(values), min(values), max(values))


@dataclass(frozen=True, slots=True)
class Standing:
    """One contender over all rounds; the ratios say how many times as much as it Lonjak made in the same round."""

    contender: str
    rounds: tuple[Window, ...]
    per_s: Spread
    per_cpu_s: Spread
    cpu_ratio: float
    server_cpu_ratio: float
    lonjak_per_s_ratio: float
    lonjak_per_cpu_s_ratio: float


def standings(windows: dict[str, list[Window]], ours: str) -> tuple[Standing, ...]:
    """All contenders in the order in which they were measured; each has as many windows as `ours`."""

    def standing(name: str, measured: list[Window]) -> Standing:
        def ratio(figure: Callable[[Window], float]) -> float:
            return paired_ratio([figure(mine) for mine in windows[ours]], [figure(theirs) for theirs in measured])

        return Standing(
            name,
            tuple(measured),
            Spread.of([window.per_s for window in measured]),
            Spread.of([window.per_cpu_s for window in measured]),
            median(window.cpu_ratio for window in measured),
            median(window.server_cpu_s / window.seconds for window in measured),
            ratio(lambda window: window.per_s),
            ratio(lambda window: window.per_cpu_s),
        )

    return tuple(standing(name, measured) for name, measured in windows.items())


def paired_ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median over rounds of ours / theirs: what slows the machine for a whole round cancels out."""
    return median(mine / max(other, 1e-9) for mine, other in zip(ours, theirs, strict=True))
