"""A timer to a tenth of a millisecond. gevent waits in epoll, which counts whole milliseconds and wakes late."""

import ctypes
import os
from collections.abc import Callable

import gevent

_CLOCK_MONOTONIC = 1  # linux/time.h; the clock of time.monotonic
_TFD_TIMER_ABSTIME = 1  # linux/timerfd.h
_READABLE = 1  # libev's EV_READ
_NS_PER_S = 1_000_000_000
_libc = ctypes.CDLL(None, use_errno=True)


class Alarm:
    """Calls `ring` in the hub, once for each time that it is set; it must not block. See timerfd_create(2)."""

    def __init__(self, ring: Callable[[], object]) -> None:
        self._ring = ring
        self._file = _libc.timerfd_create(_CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        if self._file < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        self._io = gevent.get_hub().loop.io(self._file, _READABLE)
        self._io.start(self._on_readable)

    def set(self, instant: float) -> None:
        """Ring at an instant of `time.monotonic`, at once when it has passed, and not when it was set to before."""
        nanoseconds = max(1, int(instant * _NS_PER_S))
        when = (ctypes.c_long * 4)(0, 0, *divmod(nanoseconds, _NS_PER_S))  # no interval; seconds, nanoseconds
        if _libc.timerfd_settime(self._file, _TFD_TIMER_ABSTIME, when, None) < 0:
            raise OSError(ctypes.get_errno(), "timerfd_settime")

    def close(self) -> None:
        """Ring no more."""
        self._io.stop()
        self._io.close()
        os.close(self._file)

    def _on_readable(self) -> None:
        try:
            os.read(self._file, 8)
        except BlockingIOError:
            return  # it was set anew in the meantime
        self._ring()
