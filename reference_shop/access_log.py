"""One JSON line per request of shop or payment provider: `at` (epoch, when the answer was sent), `kind`, `status`,
`bytes` (of the body), `duration_s`, `request_id`; `key` (path and query) where a shared cache may keep the answer.

Lines wait in memory for at most half a second, so that logging costs a request no system call.
"""

import asyncio
import itertools
import json
import logging
import os
import re
import time
from pathlib import Path

_PERIOD_S = 0.5
_MAX_KEY_CHARACTERS = 300
_log = logging.getLogger(__name__)
_FOREIGN_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class AccessLog:
    """A log file, open for appending; opened before its process gives up its rights."""

    def __init__(self, path: Path, process: str) -> None:
        """Open the file; the ids that this process gives begin with its name."""
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self._lines: list[str] = []
        self._prefix = f"{process}-{os.getpid():x}"
        self._numbers = itertools.count(1)

    def request_id(self, given: str | None) -> str:
        """Return the id that a process of ours gave, or one of this one's own."""
        return given if given and _FOREIGN_ID.fullmatch(given) else f"{self._prefix}-{next(self._numbers):x}"

    def note(
        self, kind: str, status: int, body_bytes: int, duration_s: float, request_id: str, *, key: str | None = None
    ) -> None:
        """Remember a request; a long key is cut off."""
        kept_under = "" if key is None else f',"key":{json.dumps(key[:_MAX_KEY_CHARACTERS])}'
        self._lines.append(
            f'{{"at":{time.time():.6f},"kind":"{kind}","status":{status},"bytes":{body_bytes},'
            f'"duration_s":{duration_s:.6f},"request_id":"{request_id}"{kept_under}}}\n'
        )

    def flush(self) -> None:
        """Write what waits."""
        if self._lines:
            lines, self._lines = self._lines, []
            os.write(self._descriptor, "".join(lines).encode())

    async def keep_flushing(self) -> None:
        """Flush for ever; the last flush is the caller's."""
        while True:
            await asyncio.sleep(_PERIOD_S)
            try:
                self.flush()
            except OSError as error:
                _log.warning("lines of the access log are lost: %s", error)
