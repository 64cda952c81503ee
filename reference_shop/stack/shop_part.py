"""The part of a stack that sells: its database, payment provider and workers, and then who changes what they sell."""

import asyncio
import hashlib
import secrets
from collections.abc import Sequence
from importlib.resources import files

from reference_shop.edges.layout import Origin
from reference_shop.stack import ports
from reference_shop.stack.database_part import DatabasePart
from reference_shop.stack.description import Operators
from reference_shop.stack.document import AccessLog, PurgeDoor
from reference_shop.stack.doors import ShopDoors
from reference_shop.stack.premises import Premises
from reference_shop.stack.processes import ShopProcesses
from reference_shop.stack.readiness import ANSWER_S, announced_and_answers_http, answers_http, launched


class ShopPart:
    """Starts what the shop is made of, on its doors."""

    def __init__(self, premises: Premises, doors: ShopDoors, public_port: int) -> None:
        self._premises = premises
        self._doors = doors
        self._database = DatabasePart(premises, doors.database_throttle, public_port)
        self._processes: ShopProcesses | None = None
        self.operators = Operators(ports.number_of(doors.shop), secrets.token_urlsafe(24))

    @property
    def origin(self) -> Origin:
        """Where an edge finds the shop, which wants to hear the name that the shopper asked for."""
        return Origin(ports.HOST, ports.number_of(self._doors.shop))

    async def start(self) -> None:
        """Fill the database, and return when payment provider and workers answer. Raises StackProblem or OSError."""
        settings, services = self._premises.settings, self._premises.services
        self._processes = processes = ShopProcesses(
            settings=settings,
            folder=self._premises.folder,
            database=await self._database.start(),
            ops_token=self.operators.token,
            doors=self._doors,
            images=self._premises.folder.shared_with_other_stacks(_pictures_name(settings.seed)),
        )
        await services.run(processes.seed())
        self._premises.say("start the payment provider")
        await services.serve(processes.payment(), answers_http(ports.number_of(self._doors.payment)))
        self._premises.say("start the shop", 0, settings.workers)
        ready = announced_and_answers_http(ports.number_of(self._doors.shop), self.answer_s)
        await asyncio.gather(
            *(services.serve(processes.shop_worker(number), ready) for number in processes.worker_numbers)
        )

    async def start_back_office(self) -> None:
        """Have prices and stock change from now on, if that is wanted."""
        if self._processes and self._premises.settings.changes_per_s:
            self._premises.say("start the back office")
            await self._premises.services.serve(self._processes.backoffice(), launched)

    async def start_purger(self, doors: Sequence[PurgeDoor], host: str) -> None:
        """Have what changes taken out of the caches, if that is wanted and there are any; `host` is in their keys."""
        how = self._premises.settings.resolved_edge_options.purge
        if self._processes and how != "none" and doors:
            self._premises.say("start the purger")
            await self._premises.services.serve(self._processes.purger(doors, how, host), launched)

    @property
    def answer_s(self) -> float:
        """How long the shop may take to say that it is ready: it asks its database, some round trips away."""
        return ANSWER_S + 4 * (self._premises.settings.throttle("database", "delay-ms") or 0) / 1000

    def access_logs(self) -> tuple[AccessLog, ...]:
        """Where workers and payment provider log their requests; nowhere before the start."""
        return self._processes.access_logs() if self._processes else ()

    async def drop_own_schema(self) -> None:
        """Leave somebody else's database as it was."""
        await self._database.drop_own_schema()


def _pictures_name(seed: int) -> str:
    """Tells pictures apart that another seed, or another version of the program, would draw differently."""
    digest = hashlib.blake2s(digest_size=6)
    for source in sorted(files("reference_shop.seed").iterdir(), key=lambda source: source.name):
        if source.is_file():
            digest.update(source.read_bytes())
    return f"pictures-{seed}-{digest.hexdigest()}"
