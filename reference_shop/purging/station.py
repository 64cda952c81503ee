"""What is to be purged at one cache: products, not changes, so that nothing grows while the cache is away."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from reference_shop.purging.door import Purged

# No page stays fresh for longer, and none of the stale ones should matter any more.
GIVE_UP_S = 120.0
_REFUSED_AGAIN_S = 1.0
_SILENT_AGAIN_S, _SILENT_AGAIN_MOST_S = 0.1, 1.0
_MOST_DUE = 20_000
_NAMED = 20

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Due:
    """A product to be purged: since when, not before when, and whether the next station has heard of it."""

    since: float
    not_before: float
    passed_on: bool = False


class Station:
    """A cache on the way to the shoppers. What was purged here is due at the next one, which would else fetch it back.

    While a cache does not answer, it holds nobody up: what is due goes on to the next one at once, and again when it
    was purged here after all.
    """

    def __init__(
        self,
        name: str,
        purge: Callable[[Sequence[int]], Awaitable[Purged]],
        onward: "Station | None",
        clock: Callable[[], float],
    ) -> None:
        """Purge by `purge`; `onward` is the next cache towards the shoppers; `clock` gives seconds."""
        self._name = name
        self._purge = purge
        self._onward = onward
        self._clock = clock
        self._due: dict[int, _Due] = {}
        self._silences = 0
        self._rests_until = 0.0
        self._wake = asyncio.Event()

    def add(self, product_ids: Iterable[int]) -> None:
        """Have products purged; of one that is due already only the latest wish counts."""
        now = self._clock()
        is_silent = self._silences > 0
        wanted = list(product_ids)
        for product_id in wanted:
            self._due.pop(product_id, None)
            self._due[product_id] = _Due(now, self._rests_until if is_silent else now, passed_on=is_silent)
        for product_id in list(self._due)[:-_MOST_DUE]:
            del self._due[product_id]
        if is_silent:
            self._pass_on(wanted)
        self._wake.set()

    async def keep_purging(self) -> None:
        """Purge what is due, for ever, one batch after the other."""
        while True:
            await self._until_due()
            now = self._clock()
            batch = {product_id: due for product_id, due in self._due.items() if due.not_before <= now}
            for product_id in batch:
                del self._due[product_id]
            outcome = await self._purge(list(batch))
            self._tell(outcome, self._clock() - now)
            self._settle(batch, outcome)

    async def _until_due(self) -> None:
        while True:
            self._wake.clear()
            wait_s = min((due.not_before for due in self._due.values()), default=None)
            if wait_s is not None and (wait_s := wait_s - self._clock()) <= 0:
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._wake.wait()

    def _settle(self, batch: dict[int, _Due], outcome: Purged) -> None:
        now = self._clock()
        self._silences = self._silences + 1 if outcome.unanswered else 0
        if outcome.unanswered:
            rest_s = min(_SILENT_AGAIN_MOST_S, _SILENT_AGAIN_S * 2 ** min(self._silences - 1, 10))
            self._rests_until = now + rest_s
        given_up = 0
        for product_id in outcome.refused | outcome.unanswered:
            not_before = self._rests_until if product_id in outcome.unanswered else now + _REFUSED_AGAIN_S
            if not_before - batch[product_id].since < GIVE_UP_S:
                again = replace(batch[product_id], not_before=not_before, passed_on=True)
                self._due.setdefault(product_id, again)
            else:
                given_up += 1
        if given_up:
            _log.warning("%s: %d given up after %.0f s", self._name, given_up, GIVE_UP_S)
        self._pass_on([one for one, due in batch.items() if one in outcome.done or not due.passed_on])

    def _pass_on(self, product_ids: Sequence[int]) -> None:
        if self._onward is not None and product_ids:
            self._onward.add(product_ids)

    def _tell(self, outcome: Purged, took_s: float) -> None:
        if outcome.done:
            named = " ".join(map(str, sorted(outcome.done)[:_NAMED])) + (" …" if len(outcome.done) > _NAMED else "")
            _log.info("%s: %d purged in %.1f ms: %s", self._name, len(outcome.done), took_s * 1000, named)
        if outcome.refused or (outcome.unanswered and not self._silences):
            not_purged = len(outcome.refused | outcome.unanswered)
            _log.warning("%s: %d not purged, tried again: %s", self._name, not_purged, outcome.problem)
        if self._silences and not outcome.unanswered:
            _log.info("%s: answers again", self._name)
