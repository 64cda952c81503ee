"""When a process that died is started again: at once first, then after longer waits, and at some point no more."""

from dataclasses import dataclass

FIRST_WAIT_S = 0.25
LONGEST_WAIT_S = 5.0
QUICK_S = 10.0
MOST_QUICK_FAILURES = 8


@dataclass(slots=True)
class RestartPolicy:
    """Counts failures in a row; a process that lived for QUICK_S seconds starts a new row."""

    quick_failures: int = 0

    def wait_after(self, lived_s: float) -> float | None:
        """Seconds to wait before the next start of a process that lived for `lived_s`; None: give it up."""
        self.quick_failures = 1 if lived_s >= QUICK_S else self.quick_failures + 1
        if self.quick_failures > MOST_QUICK_FAILURES:
            return None
        if self.quick_failures == 1:
            return 0.0
        return min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** (self.quick_failures - 2))
