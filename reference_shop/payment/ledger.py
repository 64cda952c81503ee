"""The provider's rules: one answer per idempotency key, for ever, and no answer that is not in the journal."""

import asyncio
import hashlib
import random
from collections.abc import Coroutine
from uuid import UUID

from reference_shop.payment.journal import Charge, Journal
from reference_shop.payment.settings import Latency

DECLINED_TOKEN = "tok_declined"  # noqa: S105  (a test card that is always declined)


class KeyReused(Exception):
    """This key was used with another amount or card."""


class Ledger:
    """Decides charges and remembers them."""

    def __init__(
        self, journal: Journal, remembered: dict[str, Charge], *, latency: Latency, decline_ratio: float, seed: int
    ) -> None:
        """Continue from what the journal remembered. The same seed and keys give the same latencies and refusals."""
        self._journal = journal
        self._done = remembered
        self._running: dict[str, asyncio.Task[Charge]] = {}
        self._latency = latency
        self._decline_ratio = decline_ratio
        self._seed = seed

    async def charge(self, key: UUID, amount_idr: int, card_token: str) -> Charge:
        """Decide a charge, once; the same request again gets the same answer. Raises KeyReused, OSError."""
        name = str(key)
        digest = hashlib.sha256(f"{name} {amount_idr} {card_token}".encode()).hexdigest()
        charge = await self._known(name) or await self._run(name, self._decide(name, amount_idr, card_token, digest))
        if charge.state != "voided" and charge.digest != digest:
            raise KeyReused
        return charge

    async def void(self, key: UUID) -> Charge:
        """Forbid a charge that has not happened; return how the key ended. Raises OSError."""
        name = str(key)
        return await self._known(name) or await self._run(name, self._conclude(Charge(name, "voided", 0, "")))

    async def find(self, key: UUID) -> Charge | None:
        """Return how the key ended, waiting for a charge that is being decided."""
        return await self._known(str(key))

    async def _known(self, name: str) -> Charge | None:
        running = self._running.get(name)
        return await asyncio.shield(running) if running else self._done.get(name)

    async def _run(self, name: str, decision: Coroutine[None, None, Charge]) -> Charge:
        # A task of its own: the charge goes on when the shop has hung up, as money does.
        task = asyncio.create_task(decision)
        self._running[name] = task
        task.add_done_callback(lambda _: self._running.pop(name, None))
        return await asyncio.shield(task)

    async def _decide(self, name: str, amount_idr: int, card_token: str, digest: str) -> Charge:
        rng = random.Random(f"{self._seed} {name}")
        refused = rng.random() < self._decline_ratio or card_token == DECLINED_TOKEN
        await asyncio.sleep(self._latency.draw(rng))
        return await self._conclude(Charge(name, "declined" if refused else "captured", amount_idr, digest))

    async def _conclude(self, charge: Charge) -> Charge:
        await self._journal.append(charge)
        self._done[charge.key] = charge
        return charge
