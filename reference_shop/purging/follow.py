"""Which entries of the ledger are new, and which products are due: bookkeeping without a database or a socket."""

from collections.abc import Callable, Iterable

# Longer than any statement of the shop may take (30 s), and so than a transaction is open that will still commit.
PATIENCE_S = 60.0
_MOST_AWAITED = 10_000


class Seen:
    """Which entries were seen. They are numbered when they are made, and appear when their transactions commit.

    So a number that is left out may appear later, or never: it is awaited for `PATIENCE_S`.
    """

    def __init__(self, up_to: int, clock: Callable[[], float]) -> None:
        """Begin after the entry `up_to`; `clock` gives seconds."""
        self.up_to = up_to
        self._clock = clock
        self._awaited: dict[int, float] = {}  # until when, in that order

    def awaited(self) -> list[int]:
        """Return the numbers that were left out, and may still appear."""
        now = self._clock()
        while self._awaited and next(iter(self._awaited.values())) <= now:
            del self._awaited[next(iter(self._awaited))]
        return list(self._awaited)

    def note(self, entry_ids: Iterable[int]) -> None:
        """Take entries, in order, as seen."""
        until = self._clock() + PATIENCE_S
        for entry_id in entry_ids:
            self._awaited.pop(entry_id, None)
            if entry_id > self.up_to:
                first = max(self.up_to + 1, entry_id - _MOST_AWAITED)
                self._awaited.update(dict.fromkeys(range(first, entry_id), until))
                self.up_to = entry_id
        for entry_id in list(self._awaited)[:-_MOST_AWAITED]:
            del self._awaited[entry_id]


class Echoes:
    """Products that are due once more, some time after their last change.

    A cache that fetches a page right after a change may get what somebody read before it: the shop's own memory of its
    catalogue, or an answer that was on its way already.
    """

    def __init__(self, after_s: float | None, clock: Callable[[], float]) -> None:
        """Have products due again after `after_s` seconds, never for None."""
        self._after_s = after_s
        self._clock = clock
        self._due_at: dict[int, float] = {}  # in that order

    def note(self, product_ids: Iterable[int]) -> None:
        """These changed: what was to be due because of an earlier change will be due because of this one."""
        if self._after_s is not None:
            at = self._clock() + self._after_s
            for product_id in product_ids:
                self._due_at.pop(product_id, None)
                self._due_at[product_id] = at

    def due(self) -> set[int]:
        """Return those whose time has come, once."""
        now = self._clock()
        due = set()
        while self._due_at and next(iter(self._due_at.values())) <= now:
            product_id = next(iter(self._due_at))
            del self._due_at[product_id]
            due.add(product_id)
        return due
