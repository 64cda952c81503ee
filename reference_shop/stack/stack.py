"""The stack as a whole: what is started in which order, what stack.json says of it, and how it is stopped."""

import asyncio
import hashlib
import json
import logging
import secrets
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

from reference_shop.edges import nginx
from reference_shop.stack import binaries, control_groups, ports
from reference_shop.stack.child import Child, ProcessSpec, kill_orphans
from reference_shop.stack.control_groups import ControlGroup, find_parent
from reference_shop.stack.database import EmbeddedDatabase, check_usable, drop_schema, new_password, schema_for
from reference_shop.stack.document import ProcessRecord, StackDocument, State
from reference_shop.stack.doors import delayed, open_doors
from reference_shop.stack.folder import StackFolder
from reference_shop.stack.identity import myself
from reference_shop.stack.problems import ProgramAbsent, StackProblem
from reference_shop.stack.processes import ShopProcesses
from reference_shop.stack.progress import Progress
from reference_shop.stack.proxies import by_way_of, delaying_proxy, server_of
from reference_shop.stack.readiness import (
    ANSWER_S,
    accepts_sessions,
    announced,
    announced_and_answers_http,
    answers_http,
    launched,
)
from reference_shop.stack.service import Ready, Service, record_of, run_to_end
from reference_shop.stack.settings import StackSettings
from reference_shop.throttles import parse_throttle

_EMBEDDED_SCHEMA = "shop"
_STOP_ORDER = (("edge", "backoffice"), ("shop",), ("payment",), ("database",))
_log = logging.getLogger(__name__)


class Stack:
    """One stack; `public` is the socket that holds its public port, `report` hears of each step of the start."""

    def __init__(
        self, settings: StackSettings, folder: StackFolder, public: socket.socket, report: Callable[[Progress], None]
    ) -> None:
        self._settings = settings
        self._folder = folder
        self._report = report
        self._doors = open_doors(settings, public)
        self._groups = _cpu_groups(settings, ports.number_of(public))
        self._database_reservation: socket.socket | None = None
        self._own_schema: str | None = None
        self._services: list[Service] = []
        self._passing: Child | None = None
        self._state: State = "starting"
        self._started_at = time.time()
        self._ops_token = secrets.token_urlsafe(24)
        self._processes: ShopProcesses | None = None

    async def start(self) -> None:
        """Bring everything up, each part when the one it needs is ready. Raises StackProblem or OSError."""
        self._publish()  # names the control groups, so that none is forgotten
        for group in self._groups.values():
            group.make()
        edge_program = _nginx() if self._doors.edge else None
        url, schema = await self._start_database()
        self._processes = processes = ShopProcesses(
            settings=self._settings,
            folder=self._folder,
            database_url=url,
            shop_database_url=await self._throttle_database(url),
            schema=schema,
            ops_token=self._ops_token,
            doors=self._doors,
            images=self._folder.shared_with_other_stacks(_pictures_name(self._settings.seed)),
        )
        await self._run(processes.seed(), self._relay_progress)
        await self._start_shop(processes)
        await self._start_edge(processes, edge_program)
        if self._settings.changes_per_s:
            self._report(Progress("start the back office"))
            await self._serve(processes.backoffice(), launched)
        for group in self._groups.values():  # whose start would have been slow too
            group.limit()
        self._enter("ready")

    async def _start_shop(self, processes: ShopProcesses) -> None:
        """Start payment provider and workers."""
        self._report(Progress("start the payment provider"))
        await self._serve(processes.payment(), answers_http(ports.number_of(self._doors.payment)))
        self._report(Progress("start the shop", 0, self._settings.workers))
        ready = announced_and_answers_http(ports.number_of(self._doors.shop), self._answer_s)
        await asyncio.gather(
            *(self._serve(processes.shop_worker(number), ready) for number in processes.worker_numbers)
        )

    async def _start_edge(self, processes: ShopProcesses, program: Path | None) -> None:
        """Start what stands before the shop: an edge, a throttle, both or nothing."""
        if self._doors.edge and program:
            port = ports.number_of(self._doors.edge)
            self._report(Progress(f"start the edge {self._settings.edge}"))
            ready = answers_http(port, any_status=True, answer_s=self._answer_s)
            await self._serve(processes.edge(program, port), ready)
        if delayed(self._settings, "edge"):
            target = (ports.HOST, ports.number_of(self._doors.behind_edge_throttle))
            await self._throttle("edge", self._doors.public, target, keep_client_address=True)

    @property
    def _answer_s(self) -> float:
        """How long the shop may take to say that it is ready: it asks its database, some round trips away."""
        return ANSWER_S + 4 * (self._settings.throttle("database", "delay-ms") or 0) / 1000

    async def _throttle_database(self, url: str) -> str:
        """Where the shop finds its database."""
        listener = self._doors.database_throttle
        if listener is None:
            return url
        await self._throttle("database", listener, server_of(url), keep_client_address=False)
        return by_way_of(url, listener)

    async def _throttle(
        self, tier: str, listener: socket.socket, target: tuple[str, int], *, keep_client_address: bool
    ) -> None:
        """Start a proxy; it is outside the tier's control group, as it only plays a slow tier."""
        self._report(Progress(f"start the throttle of the {tier}"))
        spec = delaying_proxy(
            tier, self._settings, self._folder, listener, target, keep_client_address=keep_client_address
        )
        await self._keep_up(spec, announced)

    async def stop(self) -> None:
        """End everything, the edge first and the database last; within 15 s, whatever the processes do."""
        self._enter("stopping")
        for tiers in _STOP_ORDER:
            if "database" in tiers:
                await self._drop_own_schema()
            await asyncio.gather(*(service.stop() for service in self._services if service.spec.tier in tiers))
        kill_orphans(known=set())
        for group in self._groups.values():
            if not control_groups.remove(group.path):
                _log.warning("the control group %s stays", group.path)
        self._enter("stopped")

    async def _drop_own_schema(self) -> None:
        """In a database of somebody else's; when that fails, the next stack on this port empties the schema."""
        if self._own_schema and self._settings.database_url:
            try:
                await drop_schema(self._settings.database_url, self._own_schema)
            except StackProblem as problem:
                _log.warning("the schema %s stays: %s", self._own_schema, problem)

    async def _start_database(self) -> tuple[str, str]:
        """URL and schema of a database that accepts sessions."""
        external = self._settings.database_url
        if external is not None:
            self._report(Progress("look at the given database"))
            await check_usable(external)
            self._own_schema = schema_for(ports.number_of(self._doors.public))
            return external, self._own_schema
        self._report(Progress("start PostgreSQL"))
        self._database_reservation = ports.reserve()
        database = EmbeddedDatabase(
            programs=binaries.reachable(binaries.installed(), self._folder.path.parent, self._settings.run_as),
            folder=self._folder,
            port=ports.number_of(self._database_reservation),
            password=new_password(),
            cpu_set=self._settings.stack_cpus,
            workers=self._settings.workers,
        )
        try:
            await self._run(database.creation())
        finally:
            database.password_file.unlink(missing_ok=True)
        await self._serve(database.server(), accepts_sessions(database.url))
        return database.url, _EMBEDDED_SCHEMA

    async def _serve(self, spec: ProcessSpec, ready: Ready) -> None:
        """Keep a tier's process up, in the tier's control group if there is one."""
        group = self._groups.get(spec.tier)
        await self._keep_up(replace(spec, control_group=group.path if group else None), ready)

    async def _keep_up(self, spec: ProcessSpec, ready: Ready) -> None:
        service = Service(spec, ready, self._on_change)
        self._services.append(service)
        await service.start()

    async def _run(self, spec: ProcessSpec, reading: Callable[[Child], object] | None = None) -> None:
        """Run a passing process to its end; stack.json names it meanwhile."""

        async def follow(child: Child) -> None:
            self._passing = child
            self._publish()
            if reading:
                await self._relay_progress(child)

        try:
            await run_to_end(spec, follow)
        finally:
            self._passing = None

    async def _relay_progress(self, child: Child) -> None:
        """Report what the process says on its standard output, one JSON document a line, until it ends."""
        if child.process.stdout is None:
            return
        reader = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), child.process.stdout
        )
        try:
            async for line in reader:
                self._report(_progress_in(line))
        finally:
            transport.close()

    def _on_change(self) -> None:
        children = [*(service.child for service in self._services), self._passing]
        kill_orphans({child.identity.pid for child in children if child and not child.exited.done()})
        if self._state == "ready" and any(service.given_up for service in self._services):
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
        port = ports.number_of(self._doors.public)
        return StackDocument(
            state=self._state,
            url=f"http://{ports.HOST}:{port}",
            edge=self._settings.edge,
            port=port,
            started_at=self._started_at,
            products=self._settings.products,
            seed=self._settings.seed,
            workers=self._settings.workers,
            supervisor=myself(),
            owner=self._settings.owner,
            ops_url=f"http://{ports.HOST}:{ports.number_of(self._doors.shop)}/ops/truth",
            ops_token=self._ops_token,
            cpu_sets={"stack": self._settings.stack_cpus, "generator": self._settings.generator_cpus},
            access_logs=self._processes.access_logs() if self._processes else (),
            processes=self._records(),
            past_orders=self._settings.past_orders,
            changes_per_s=self._settings.changes_per_s,
            protections=self._settings.protections,
            throttles=tuple(map(str, map(parse_throttle, self._settings.throttles))),
            defects=self._settings.defects,
            control_groups=tuple(str(group.path) for group in self._groups.values()),
        )

    def _records(self) -> tuple[ProcessRecord, ...]:
        passing = (record_of(self._passing, 0, ready=False),) if self._passing else ()
        return (*(record for service in self._services if (record := service.record)), *passing)


def _cpu_groups(settings: StackSettings, port: int) -> dict[str, ControlGroup]:
    """The control group of each tier that has less than a whole core; none is made yet."""
    if not settings.cpu_shares:
        return {}
    parent = find_parent()
    return {tier: ControlGroup.below(parent, port, tier, share) for tier, share in settings.cpu_shares.items()}


def _nginx() -> Path:
    program = nginx.find_program()
    if program is None:
        raise ProgramAbsent(f"nginx is not installed: {nginx.INSTALL_COMMAND}, or use --edge direct")
    return program


def _pictures_name(seed: int) -> str:
    """Tells pictures apart that another seed, or another version of the program, would draw differently."""
    digest = hashlib.blake2s(digest_size=6)
    for source in sorted(files("reference_shop.seed").iterdir(), key=lambda source: source.name):
        if source.is_file():
            digest.update(source.read_bytes())
    return f"pictures-{seed}-{digest.hexdigest()}"


def _progress_in(line: bytes) -> Progress:
    """What a program said about its work; anything that is not JSON is passed on as it is."""
    try:
        values = json.loads(line)
        return Progress(f"make {values['step']}", values.get("done"), values.get("total"))
    except (ValueError, KeyError, TypeError):
        return Progress(line.decode(errors="replace").strip())
