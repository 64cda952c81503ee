"""The provider's rules: one answer per idempotency key, and no answer that is not in the journal.

A key is decided once; after that only a captured charge can still change, once, by being refunded.
"""

import asyncio
import hashlib
import random
import time
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import replace
from uuid import UUID

from reference_shop import metrics
from reference_shop.payment.journal import Charge, Journal
from reference_shop.payment.settings import Latency

DECLINED_TOKEN = "tok_declined"  # noqa: S105  (a test card that is always declined)


class KeyReused(Exception):
    """This key was used with another amount, card or order."""


class Ledger:
    """Decides charges and remembers them."""

    def __init__(
        self,
        journal: Journal,
        remembered: dict[str, Charge],
        *,
        latency: Latency,
        decline_ratio: float,
        seed: int,
        concurrency: int | None = None,
        delay_s: float = 0.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Continue from what the journal remembered. The same seed and keys give the same latencies and refusals.

        At most `concurrency` charges are decided at once, the others wait in order; `delay_s` is added to each.
        """
        self._journal = journal
        self._done = remembered
        self._running: dict[str, asyncio.Task[Charge]] = {}
        self._latency = latency
        self._decline_ratio = decline_ratio
        self._seed = seed
        # A semaphore of asyncio wakes those who wait in the order in which they came.
        self._desks: AbstractAsyncContextManager[None] = (
            asyncio.Semaphore(concurrency) if concurrency else nullcontext()
        )
        metrics.desks.follow(lambda: concurrency or 0)
        self._delay_s = delay_s
        self._clock = clock

    async def charge(self, key: UUID, amount_idr: int, card_token: str, order_id: int) -> Charge:
        """Decide a charge, once; the same request again gets the same answer. Raises KeyReused, OSError."""
        name = str(key)
        digest = hashlib.sha256(f"{name} {amount_idr} {card_token}".encode()).hexdigest()
        charge = await self._known(name)
        if charge is None:
            asked = Charge(name, "", amount_idr, digest, order_id)
            charge = await self._run(name, self._decide(asked, card_token))
        if charge.state != "voided" and (charge.digest != digest or charge.order_id not in {0, order_id}):
            raise KeyReused
        return charge

    async def void(self, key: UUID) -> Charge:
        """Forbid a charge that has not happened; return how the key ended. Raises OSError."""
        name = str(key)
        return await self._known(name) or await self._run(name, self._conclude(Charge(name, "voided", 0, "")))

    async def refund(self, key: UUID) -> Charge | None:
        """Give a captured charge back, once; return how the key ended, None for an unknown key. Raises OSError."""
        name = str(key)
        charge = await self._known(name)
        if charge is not None and charge.state == "captured":
            charge = await self._run(name, self._conclude(replace(charge, state="refunded")))
        return charge

    async def find(self, key: UUID) -> Charge | None:
        """Return how the key ended, waiting for a charge that is being decided."""
        return await self._known(str(key))

    def since(self, instant: float) -> list[Charge]:
        """Return every charge that was decided or refunded since then (epoch seconds), as it stands now."""
        return [charge for charge in self._done.values() if charge.at >= instant]

    async def _known(self, name: str) -> Charge | None:
        """Return how the key stands once nothing is being done about it: what follows without waiting is alone."""
        while running := self._running.get(name):
            await asyncio.shield(running)
        return self._done.get(name)

    async def _run(self, name: str, decision: Coroutine[None, None, Charge]) -> Charge:
        async def run() -> Charge:
            try:
                return await decision
            finally:
                del self._running[name]

        # A task of its own: the charge goes on when the shop has hung up, as money does.
        task = self._running[name] = asyncio.create_task(run())
        return await asyncio.shield(task)

    async def _decide(self, asked: Charge, card_token: str) -> Charge:
        rng = random.Random(f"{self._seed} {asked.key}")
        refused = rng.random() < self._decline_ratio or card_token == DECLINED_TOKEN
        async with self._at_a_desk():
            await asyncio.sleep(self._latency.draw(rng) + self._delay_s)
            return await self._conclude(replace(asked, state="declined" if refused else "captured"))

    @asynccontextmanager
    async def _at_a_desk(self) -> AsyncGenerator[None, None]:
        """Wait for a desk, and be counted on the way."""
        metrics.charges_waiting.rise()
        try:
            await self._desks.__aenter__()
        finally:
            metrics.charges_waiting.fall()
        metrics.charges_in_work.rise()
        try:
            yield
        finally:
            metrics.charges_in_work.fall()
            await self._desks.__aexit__(None, None, None)

    async def _conclude(self, charge: Charge) -> Charge:
        charge = replace(charge, at=self._clock())
        await self._journal.append(charge)
        self._done[charge.key] = charge
        metrics.charge_decided(charge.state, charge.amount_idr)
        return charge
