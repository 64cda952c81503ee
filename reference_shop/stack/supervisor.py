"""The supervisor: starts a stack, and stops it when it is told to, when its owner is gone, or when the start fails."""

import asyncio
import contextlib
import ctypes
import errno
import logging
import os
import resource
import shutil
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from reference_shop.privileges import PARENT_VARIABLE
from reference_shop.stack import folder, leftovers, ports
from reference_shop.stack.document import FILE_NAME
from reference_shop.stack.doors import open_public
from reference_shop.stack.identity import ProcessIdentity, myself
from reference_shop.stack.problems import SettingsProblem, StackProblem, StartFailed
from reference_shop.stack.progress import Failed, Ready, Reporter, Started
from reference_shop.stack.settings import StackSettings
from reference_shop.stack.stack import Stack

_PR_SET_CHILD_SUBREAPER = 36  # prctl(2)
_FULL_DISK_BYTES = 32_000_000  # PostgreSQL writes its log in files of 16 MiB
_log = logging.getLogger(__name__)


def run(settings: StackSettings, reporter: Reporter) -> None:
    """Run one stack from its start to its end; everything worth knowing goes to `reporter`."""
    reporter.send(Started(myself()))
    try:
        settings.check()
        _prepare_process(settings)
        asyncio.run(_supervise(settings, reporter))
    except StartFailed as problem:
        reporter.send(Failed(problem.sentence, problem.log_tail))
    except (StackProblem, SettingsProblem) as problem:
        reporter.send(Failed(str(problem)))
    except OSError as error:
        reporter.send(Failed(_sentence_of(error)))
    except Exception as error:  # the one who waits for this process must hear of it, whatever it is
        lines = tuple(traceback.format_exc().splitlines())
        reporter.send(Failed(f"the supervisor failed: {type(error).__name__}: {error}", lines))
        raise


async def _supervise(settings: StackSettings, reporter: Reporter) -> None:
    stop = _stop_event(settings)
    root = folder.prepare_root(settings.run_as)
    with contextlib.closing(open_public(settings, settings.port)) as public:
        place = folder.claim(root, ports.number_of(public), settings.run_as, leftovers.clear)
        try:
            _log_to(place)
            stack = Stack(settings, place, public, reporter.send)
            try:
                await _start_unless_stopped(stack, stop, settings.starter)
                reporter.send(Ready(place.path / FILE_NAME))
                reporter.close()
                await stop.wait()
            except StartFailed as problem:
                raise _explained(problem, root) from None
            finally:
                await stack.stop()
        finally:
            place.remove()


async def _start_unless_stopped(stack: Stack, stop: asyncio.Event, starter: ProcessIdentity | None) -> None:
    """Start the stack; raises StackProblem when it is told to stop, or its starter is gone, before it is ready."""
    starting, stopped = asyncio.create_task(stack.start()), asyncio.create_task(stop.wait())
    unwatch = _watch_end(starter, stop.set) if starter else None
    try:
        await asyncio.wait([starting, stopped], return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            raise StackProblem("the start was interrupted")
        starting.result()
    finally:
        if unwatch:
            unwatch()
        for task in (starting, stopped):
            task.cancel()
        await asyncio.wait([starting, stopped])


def _explained(problem: StartFailed, root: Path) -> StartFailed:
    """The same problem, named by its cause where that is a full disk: each program says that in words of its own."""
    free = shutil.disk_usage(root).free
    if free >= _FULL_DISK_BYTES:
        return problem
    sentence = f"the disk of {root} is full ({free // 10**6} MB left): {problem.sentence}"
    return StartFailed(sentence, problem.log_tail)


def _stop_event(settings: StackSettings) -> asyncio.Event:
    """Set by SIGTERM, SIGINT and SIGHUP, and by the end of the owner."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    if settings.owner:
        _watch_end(settings.owner, stop.set)
    return stop


def _watch_end(process: ProcessIdentity, ended: Callable[[], None]) -> Callable[[], None]:
    """Call `ended` once, when the process is gone; the result ends the watch."""
    loop = asyncio.get_running_loop()
    try:
        descriptor = os.pidfd_open(process.pid)
    except OSError:
        ended()
        return lambda: None

    def unwatch() -> None:
        if loop.remove_reader(descriptor):
            os.close(descriptor)

    def gone() -> None:
        unwatch()
        ended()

    loop.add_reader(descriptor, gone)
    if not process.alive:
        gone()
    return unwatch


def _prepare_process(settings: StackSettings) -> None:
    """What all children inherit: processors, as many descriptors as allowed, and who their parent is."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    os.environ[PARENT_VARIABLE] = str(os.getpid())
    if settings.stack_cpus:
        os.sched_setaffinity(0, settings.stack_cpus)
    # Grandchildren whose parent was killed become children of this process, which then can end them.
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _log_to(place: folder.StackFolder) -> None:
    with place.log("supervisor").open("ab") as log:
        os.dup2(log.fileno(), sys.stderr.fileno())
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")


def _sentence_of(error: OSError) -> str:
    where = f": {error.filename}" if error.filename else ""
    if error.errno == errno.ENOSPC:
        return f"the disk is full{where}"
    return f"the stack cannot be started: {error.strerror or error}{where}"
