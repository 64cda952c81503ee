"""Where Locust's events meet our parts. plugin.py calls `install`, and so may others, any number of times.

Every listener is guarded: what a user caused becomes one sentence and an exit code, and what we caused is logged and
noted in the run, but never passes for a failure of the shop.
"""

import logging
import os
import signal
from argparse import Namespace
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn

import gevent
import locust
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment
from locust.runners import STATE_SPAWNING, LocalRunner, MasterRunner, WorkerRunner
from locust.web import WebUI

from loadgen.conductor import Conductor
from loadgen.dispatcher import dispatcher_for
from loadgen.errors import LonjakError
from loadgen.exitcodes import ExitCode
from loadgen.gate import Gate
from loadgen.locust_internals import deliver
from loadgen.messages import Refusal
from loadgen.options import Options, add_options
from loadgen.plans import check_user_classes, users_of
from loadgen.processes import WorkerForks
from loadgen.stack import start_time_of
from loadgen.worker import Worker

logger = logging.getLogger(__name__)

_OWNER_POLL_S = 0.5
_DELIVERY_LIMIT_S = 5.0


class Listeners:
    """This process's parts, made when Locust starts: a conductor, a worker, or both in a lone process."""

    def __init__(self) -> None:
        self._installed = False
        self._forks: WorkerForks | None = None
        self._conductor: Conductor | None = None
        self._worker: Worker | None = None
        self._master: MasterRunner | None = None

    def install(self) -> None:
        """Listen to Locust's events, once."""
        if self._installed:
            return
        self._installed = True
        events = locust.events
        for hook, listener in (
            (events.init_command_line_parser, self._on_parser),
            (events.init, self._on_init),
            (events.test_start, self._on_test_start),
            (events.test_stopping, self._on_test_stopping),
            (events.test_stop, self._on_test_stop),
            (events.quitting, self._on_quitting),
            (events.quit, self._on_quit),
            (events.heartbeat_received, self._on_heartbeat),
            (events.request, self._on_request),
            (events.user_error, self._on_user_error),
        ):
            hook.add_listener(_guarded(listener))  # type: ignore[no-untyped-call]

    def _on_parser(self, parser: LocustArgumentParser, **_: Any) -> None:
        if self._forks is None:
            self._forks = WorkerForks()
        prepared = self._conductor.prepared if self._conductor else None
        add_options(parser, lambda: prepared.scenario.load.rate_per_s if prepared else None)

    def _on_init(self, environment: Environment, runner: object, web_ui: WebUI | None, **_: Any) -> None:
        if self._forks is not None:
            self._forks.disarm()
        try:
            self._start(environment, runner, web_ui)
        except LonjakError as error:
            _send_home(runner)  # some may have come before there was anything to take part in
            _leave(error)

    def _start(self, environment: Environment, runner: object, web_ui: WebUI | None) -> None:
        options = Options.of(_parsed(environment))
        refusals: deque[Refusal] = deque()
        gate = Gate(options.allow_hosts, on_refused=lambda host, why: refusals.append(Refusal(host, why)))
        gate.install()
        check_user_classes(environment.user_classes)
        if isinstance(runner, MasterRunner | LocalRunner):
            self._conductor = Conductor(environment, runner, options, gate, refusals)
            self._conductor.register()
            self._master = runner if isinstance(runner, MasterRunner) else None
            _lead(self._conductor, environment, web_ui)
        if isinstance(runner, WorkerRunner | LocalRunner):
            self._worker = Worker(environment, runner, refusals)
            self._worker.register()
            # Not before: Locust's own listener, which ours corrects, was added with the runner.
            environment.events.report_to_master.add_listener(_guarded(self._on_report))  # type: ignore[no-untyped-call]

    def _on_test_start(self, environment: Environment, **_: Any) -> None:
        if self._conductor is None:
            return
        try:
            self._conductor.begin()
        except LonjakError as error:
            _do_not_start(environment, self._conductor, error)

    def _on_test_stopping(self, **_: Any) -> None:
        if self._conductor is not None:
            self._conductor.on_test_stopping()

    def _on_test_stop(self, **_: Any) -> None:
        if self._worker is not None:
            self._worker.on_test_stop()
        if self._conductor is not None:
            self._conductor.on_test_stop()

    def _on_quitting(self, **_: Any) -> None:
        if self._conductor is not None:
            self._conductor.on_quitting()

    def _on_quit(self, **_: Any) -> None:
        if self._master is not None:
            deliver(self._master, _DELIVERY_LIMIT_S)

    def _on_heartbeat(self, **_: Any) -> None:
        if self._worker is not None:
            self._worker.on_heartbeat()

    def _on_report(self, data: dict[str, Any], **_: Any) -> None:
        if self._worker is not None:
            self._worker.on_report(data)

    def _on_user_error(self, exception: BaseException, **_: Any) -> None:
        if self._worker is not None:
            self._worker.on_user_error(exception)

    def _on_request(self, **sample: Any) -> None:
        if self._worker is not None:
            self._worker.on_request(**sample)


_listeners = Listeners()
install = _listeners.install


def _lead(conductor: Conductor, environment: Environment, web_ui: WebUI | None) -> None:
    """Settle, before any traffic, what a leading process can know."""
    parsed, options = _parsed(environment), conductor.options
    environment.dispatcher_class = dispatcher_for(lambda: conductor.stopping)  # type: ignore[assignment]
    try:
        conductor.prepare(host=environment.host, rate=options.rate, duration_s=options.duration_s)
    except LonjakError as error:
        if web_ui is None or error.exit_code == ExitCode.USAGE:
            raise
        logger.warning("%s", error)  # a web UI waits until the shop is there
    if conductor.ours and conductor.prepared and parsed.num_users is None:
        parsed.num_users = users_of(conductor.prepared.scenario.load)
    if conductor.ours and options.headless:
        parsed.run_time = None  # the run ends by its own plan, after its sessions
    if web_ui is not None and web_ui.app is not None:
        from loadgen.ui import guard  # noqa: PLC0415 (Flask is not needed by a headless process)

        own_names = frozenset(filter(None, (parsed.web_host.lower(), (parsed.web_host_display_name or "").lower())))
        guard(web_ui.app, conductor, base_path=parsed.web_base_path, own_names=own_names)
    _listen_to_signals(conductor)
    if options.stop_with is not None:
        gevent.spawn(_follow_owner, options.stop_with, start_time_of(options.stop_with), conductor)


def _parsed(environment: Environment) -> Namespace:
    parsed: Namespace = environment.parsed_options or Namespace()
    return parsed


def _listen_to_signals(conductor: Conductor) -> None:
    gevent.signal_handler(signal.SIGINT, _interrupt, conductor)
    gevent.signal_handler(signal.SIGTERM, conductor.interrupt)  # Locust's own handler does the rest


def _follow_owner(pid: int, start_time: int | None, conductor: Conductor) -> None:
    while start_time is not None and start_time_of(pid) == start_time:
        gevent.sleep(_OWNER_POLL_S)
    logger.warning("Process %s, for which this load is made, is gone: ending", pid)
    _interrupt(conductor)


def _interrupt(conductor: Conductor) -> None:
    # Thrown into the main greenlet, where Locust shuts down in order on KeyboardInterrupt, but not yet while it waits
    # for workers. Raised here, gevent would do the same, and print a traceback.
    conductor.interrupt()
    waiting = conductor.run is None and conductor.options.headless
    end = SystemExit(int(ExitCode.INTERRUPTED)) if waiting else KeyboardInterrupt()
    gevent.get_hub().handle_system_error(type(end), end)


def _do_not_start(environment: Environment, conductor: Conductor, error: LonjakError) -> NoReturn:
    """End the start of a run, before Locust has told any worker to begin: what it would send, nobody would count."""
    runner = environment.runner
    if runner is None or conductor.options.headless:
        _send_home(runner)
        _leave(error)
    conductor.tell(error)
    runner.update_state(STATE_SPAWNING)  # else Locust would find nothing to stop, and keep this run's dispatcher
    gevent.spawn(runner.stop)
    raise gevent.GreenletExit


def _send_home(runner: object) -> None:
    """Tell a master's workers to go: on other machines they would wait for a minute."""
    if isinstance(runner, MasterRunner):
        runner.send_message("quit")
        runner.greenlet.kill(block=False)  # nobody listens any more
        deliver(runner, _DELIVERY_LIMIT_S)


def _leave(error: LonjakError) -> NoReturn:
    # SystemExit passes through Locust's event hooks, which swallow every Exception.
    with suppress(OSError):  # stderr may be a file on a full disk
        os.write(2, f"lonjak: {error}\n".encode())
    raise SystemExit(int(error.exit_code))


def _guarded(listener: Callable[..., None]) -> Callable[..., None]:
    def guarded(**told: Any) -> None:
        try:
            listener(**told)
        except Exception:
            logger.exception("Lonjak's own listener %s failed", listener.__name__)

    return guarded
