"""All processes of a stack that are kept running, and the one that just passes; who is launched, held, and ended."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from reference_shop.stack.child import Child, ProcessSpec, kill_orphans
from reference_shop.stack.control_groups import ControlGroup
from reference_shop.stack.document import ProcessRecord
from reference_shop.stack.progress import Progress
from reference_shop.stack.service import Ready, Service, record_of, run_to_end


class Services:
    """Launches processes and keeps them up; `changed` is called whenever a record may have changed.

    `groups` are the control groups by tier, `holds` is the folder of holds, `report` hears of a passing process.
    """

    def __init__(
        self,
        groups: Mapping[str, ControlGroup],
        holds: Path,
        changed: Callable[[], None],
        report: Callable[[Progress], None],
    ) -> None:
        self._groups = groups
        self._holds = holds
        self._changed = changed
        self._report = report
        self._services: list[Service] = []
        self._passing: Child | None = None

    @property
    def given_up(self) -> bool:
        """Whether a process ended so often that it is not started any more."""
        return any(service.given_up for service in self._services)

    def records(self) -> tuple[ProcessRecord, ...]:
        """What stack.json says of all processes, in the order of their start."""
        passing = (record_of(self._passing, 0, ready=False),) if self._passing else ()
        return (*(record for service in self._services if (record := service.record)), *passing)

    async def serve(self, spec: ProcessSpec, ready: Ready) -> None:
        """Keep a tier's process up, in the tier's control group if there is one. Raises StartFailed or OSError."""
        group = self._groups.get(spec.tier)
        await self.serve_unthrottled(replace(spec, control_group=group.path if group else None), ready)

    async def serve_unthrottled(self, spec: ProcessSpec, ready: Ready) -> None:
        """Keep a process up that only plays a slow tier, or has nothing to do with one."""
        service = Service(spec, ready, self._on_change, self._holds / spec.role)
        self._services.append(service)
        await service.start()

    async def run(self, spec: ProcessSpec) -> None:
        """Run a passing process to its end, and pass on what it reports; stack.json names it meanwhile."""

        async def follow(child: Child) -> None:
            self._passing = child
            self._changed()
            if spec.reports_progress:
                await self._relay_progress(child)

        try:
            await run_to_end(spec, follow)
        finally:
            self._passing = None

    async def stop(self, chosen: Callable[[ProcessSpec], bool]) -> None:
        """End the chosen processes, all at once; returns when nothing of them is left."""
        await asyncio.gather(*(service.stop() for service in self._services if chosen(service.spec)))

    def _on_change(self) -> None:
        children = [*(service.child for service in self._services), self._passing]
        kill_orphans({child.identity.pid for child in children if child and not child.exited.done()})
        self._changed()

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


def _progress_in(line: bytes) -> Progress:
    """What a program said about its work; anything that is not JSON is passed on as it is."""
    try:
        values = json.loads(line)
        return Progress(f"make {values['step']}", values.get("done"), values.get("total"))
    except (ValueError, KeyError, TypeError):
        return Progress(line.decode(errors="replace").strip())
