"""One process that is kept running: launched, waited for, watched, and launched again when it dies."""

import asyncio
import logging
import signal
import time
from collections.abc import Callable, Coroutine
from pathlib import Path

from reference_shop.stack.child import Child, ProcessSpec, launch
from reference_shop.stack.document import ProcessRecord
from reference_shop.stack.holds import wait_while_held
from reference_shop.stack.problems import StartFailed
from reference_shop.stack.restarts import RestartPolicy

Ready = Callable[[Child], Coroutine[None, None, None]]

READY_WITHIN_S = 60.0
_TAIL_LINES = 10
_log = logging.getLogger(__name__)


class Service:
    """A process that is ready once `ready` returned; `changed` is called whenever its record may have changed.

    It is not launched again while the file `hold` says so.
    """

    def __init__(self, spec: ProcessSpec, ready: Ready, changed: Callable[[], None], hold: Path | None = None) -> None:
        self.spec = spec
        self.child: Child | None = None
        self.given_up = False
        self._ready_when = ready
        self._changed = changed
        self._hold = hold
        self._is_ready = False
        self._restart_count = 0
        self._keeping: asyncio.Task[None] | None = None

    @property
    def record(self) -> ProcessRecord | None:
        """What stack.json says of the process; None before its first launch."""
        return record_of(self.child, self._restart_count, ready=self._is_ready) if self.child else None

    async def start(self) -> None:
        """Launch the process, wait until it is ready and keep it running from then on. Raises StartFailed."""
        await self._launch_and_wait()
        self._keeping = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """End the process for good; returns when nothing of it is left."""
        if self._keeping:
            self._keeping.cancel()
            await asyncio.wait([self._keeping])
        if self.child:
            await self.child.stop()
        self._is_ready = False

    async def _launch_and_wait(self) -> None:
        self.child = child = launch(self.spec)
        self._changed()
        ready = asyncio.create_task(self._ready_when(child))
        try:
            await asyncio.wait((ready, child.exited), timeout=READY_WITHIN_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ready.cancel()
        if child.exited.done():
            raise StartFailed(f"{self.spec.role} {_how(child.exited.result())} while it started", tail(self.spec.log))
        if not ready.done():
            await child.stop()
            raise StartFailed(f"{self.spec.role} was not ready within {READY_WITHIN_S:.0f} s", tail(self.spec.log))
        ready.result()
        self._is_ready = True
        self._changed()

    async def _keep(self) -> None:
        policy = RestartPolicy()
        while self.child:
            launched_at = time.monotonic()
            code = await asyncio.shield(self.child.exited)
            self._is_ready = False
            self._changed()
            wait_s = policy.wait_after(time.monotonic() - launched_at)
            if wait_s is None:
                _log.error("%s %s too often: given up", self.spec.role, _how(code))
                self.given_up = True
                self._changed()
                return
            _log.warning("%s %s: restarted after %.2f s", self.spec.role, _how(code), wait_s)
            await asyncio.sleep(wait_s)
            if self._hold:
                await wait_while_held(self._hold)
            self._restart_count += 1
            await self._relaunch()

    async def _relaunch(self) -> None:
        """Launch again; a failure is only logged, as the ended child is what `_keep` looks at next."""
        try:
            await self._launch_and_wait()
        except (StartFailed, OSError) as problem:
            _log.warning("%s", problem)


async def run_to_end(spec: ProcessSpec, launched: Ready) -> None:
    """Run a process that ends by itself, with `launched` meanwhile. Raises StartFailed unless it exits 0."""
    child = launch(spec)
    try:
        await launched(child)
        code = await asyncio.shield(child.exited)
    finally:
        await child.stop()
    if code != 0:
        raise StartFailed(f"{spec.role} {_how(code)}", tail(spec.log))


def record_of(child: Child, restart_count: int, *, ready: bool) -> ProcessRecord:
    """What stack.json says of a launched process."""
    spec = child.spec
    return ProcessRecord(
        role=spec.role,
        tier=spec.tier,
        pid=child.identity.pid,
        start_time=child.identity.start_time,
        port=spec.port,
        cpu_set=spec.cpu_set,
        log=str(spec.log),
        restart=spec.restart,
        restart_count=restart_count,
        ready=ready,
        reload=spec.reload,
    )


def tail(log: Path) -> list[str]:
    """The last lines of a log, at most ten."""
    try:
        return log.read_text(encoding="utf-8", errors="replace").splitlines()[-_TAIL_LINES:]
    except OSError:
        return []


def _how(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    return f"was ended by {signal.Signals(-code).name}"
