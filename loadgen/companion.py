"""Who goes round beside a worker's shoppers: one more client, that looks where they do not, and is none of them.

The arrivals start it and tell it to end; what it does is the scenario's.
"""

import logging
from collections.abc import Callable

import gevent
from gevent.event import Event as Flag

from loadgen.attendance import OpenSession, Steps, Visit, cut_short, describe
from loadgen.recorder import Recorder
from loadgen.schedule import Arrival
from loadgen.session import SessionCut

logger = logging.getLogger(__name__)

NUMBER = -1  # of its session: before all shoppers, so that its address and its draws are nobody else's
_LOOK_S = 0.5  # how often it looks whether it may go on again


class Companion:
    """Goes round until it is cut. While `may_go_on` says no, it waits."""

    def __init__(
        self, recorder: Recorder, open_session: OpenSession, accompany: Visit, may_go_on: Callable[[], bool]
    ) -> None:
        self._recorder = recorder
        self._open_session = open_session
        self._accompany = accompany
        self._may_go_on = may_go_on
        self._cut = Flag()
        self._greenlet: gevent.Greenlet | None = None

    def start(self) -> None:
        """Let it set out, when the run begins."""
        self._greenlet = gevent.spawn(self._go_round)

    def cut(self) -> None:
        """Let it end at its next thought; a request in flight is finished."""
        self._cut.set()

    def join(self, timeout_s: float) -> bool:
        """Wait for it to end; False when it is still there after `timeout_s`."""
        if self._greenlet is None:
            return True
        self._greenlet.join(timeout_s)
        return bool(self._greenlet.ready())

    def close(self) -> None:
        """End it at once."""
        self._cut.set()
        if self._greenlet is not None:
            self._greenlet.kill()

    def _go_round(self) -> None:
        clock = self._recorder.clock
        if self._is_cut_within(-clock.elapsed_s):
            return
        session = self._open_session(Arrival(NUMBER, clock.elapsed_s), self._cut)
        try:
            self._follow(self._accompany(session))
        except SessionCut:
            pass
        except Exception as error:
            self._recorder.warn_once(f"what goes round beside the shoppers failed: {describe(error)}")
            logger.exception("The companion failed in its own code")
        finally:
            session.client.close()

    def _follow(self, steps: Steps | None) -> None:
        if steps is None:
            return
        for pause_s in steps:
            if self._is_cut_within(pause_s):
                cut_short(steps)

    def _is_cut_within(self, seconds: float) -> bool:
        """Wait, and longer where it may not go on; whether it was cut."""
        cut = self._cut.wait(max(0.0, seconds))
        while not cut and not self._may_go_on():
            cut = self._cut.wait(_LOOK_S)
        return bool(cut)
