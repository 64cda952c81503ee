"""The stack as a whole: its parts and the order in which they start, what stack.json says of it, and how it is stopped.

database ── shop ── edge          or, before an origin of somebody's own, the edge alone
"""

import logging
import socket
import time
from collections.abc import Callable, Collection

from reference_shop.stack import control_groups, ports
from reference_shop.stack.child import ProcessSpec, kill_orphans
from reference_shop.stack.control_groups import ControlGroup, find_parent
from reference_shop.stack.description import Standing, describe
from reference_shop.stack.document import StackDocument, State
from reference_shop.stack.doors import open_edge_doors, open_shop_doors
from reference_shop.stack.edge_part import EdgePart, foreign_origin
from reference_shop.stack.folder import StackFolder
from reference_shop.stack.premises import Premises
from reference_shop.stack.progress import Progress
from reference_shop.stack.readiness import ANSWER_S
from reference_shop.stack.services import Services
from reference_shop.stack.settings import StackSettings
from reference_shop.stack.shop_part import ShopPart

# From the shopper's side inwards. Who logs for a cache ends after all caches: the last requests are to be in its log.
_STOP_STAGES = (
    ("front", "backoffice"),
    ("edge",),
    ("shield",),
    ("link", "purger", "log"),
    ("shop",),
    ("payment",),
    ("database",),
)
_log = logging.getLogger(__name__)


class Stack:
    """One stack; `public` is the socket that holds its public port, `report` hears of each step of the start."""

    def __init__(
        self, settings: StackSettings, folder: StackFolder, public: socket.socket, report: Callable[[Progress], None]
    ) -> None:
        self._settings = settings
        self._folder = folder
        self._state: State = "starting"
        self._started_at = time.time()
        self._groups = _cpu_groups(settings, ports.number_of(public))
        self._services = Services(self._groups, folder.holds, self._on_change, report)
        premises = Premises(settings, folder, self._services, report)
        doors = open_edge_doors(settings, public)
        self._shop: ShopPart | None = None
        if settings.origin is None:
            self._shop = ShopPart(premises, open_shop_doors(settings, doors), doors.numbers[0])
        origin = self._shop.origin if self._shop else foreign_origin(settings.origin or "")
        self._edge = EdgePart(premises, doors, origin)

    async def start(self) -> None:
        """Bring everything up, each part when the one it needs is ready. Raises StackProblem or OSError."""
        self._publish()  # names the control groups, so that none is forgotten
        for group in self._groups.values():
            group.make()
        if self._shop:
            await self._shop.start()
        await self._edge.start(self._shop.answer_s if self._shop else ANSWER_S)
        if self._shop:
            await self._shop.start_purger(self._edge.purge_doors, self._edge.name)
            await self._shop.start_back_office()
        for group in self._groups.values():  # whose start would have been slow too
            group.limit()
        self._enter("ready")

    async def stop(self) -> None:
        """End everything, the edge first and the database last; within 20 s, whatever the processes do."""
        self._enter("stopping")
        for stage in _STOP_STAGES:
            if self._shop and "database" in stage:
                await self._shop.drop_own_schema()
            await self._services.stop(_in_stage(stage))
        kill_orphans(known=set())
        for group in self._groups.values():
            if not control_groups.remove(group.path):
                _log.warning("the control group %s stays", group.path)
        self._enter("stopped")

    def _on_change(self) -> None:
        if self._state == "ready" and self._services.given_up:
            self._state = "failed"
        self._publish()

    def _enter(self, state: State) -> None:
        self._state = state
        self._publish()

    def _publish(self) -> None:
        """Write stack.json; a full disk must neither keep a process from its restart nor the stack from its stop."""
        try:
            self._document().write(self._folder.path)
        except OSError as error:
            _log.warning("stack.json was not written: %s", error)

    def _document(self) -> StackDocument:
        shop_logs = self._shop.access_logs() if self._shop else ()
        return describe(
            self._settings,
            Standing(
                state=self._state,
                started_at=self._started_at,
                processes=self._services.records(),
                access_logs=(*self._edge.access_logs(), *shop_logs),
            ),
            self._edge,
            self._shop.operators if self._shop else None,
            control_groups=(group.path for group in self._groups.values()),
            holds=self._folder.holds,
        )


def _in_stage(stage: Collection[str]) -> Callable[[ProcessSpec], bool]:
    """Whether a process ends in this stage: by its tier, unless it is one that logs."""
    return lambda spec: ("log" if spec.role.endswith("-log") else spec.tier) in stage


def _cpu_groups(settings: StackSettings, port: int) -> dict[str, ControlGroup]:
    """The control group of each tier that has less than a whole core; none is made yet."""
    if not settings.cpu_shares:
        return {}
    parent = find_parent()
    return {tier: ControlGroup.below(parent, port, tier, share) for tier, share in settings.cpu_shares.items()}
