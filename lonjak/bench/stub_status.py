"""nginx's own count of what it served: the same judge for every contender, whatever a contender says of itself."""

import re
import time
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException

from loadgen.errors import EnvironmentProblem

PATH = "/status"
_NUMBERS = re.compile(r"Active connections: (\d+)\s.*?requests\s+\d+ \d+ (\d+)\s", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Reading:
    """What nginx had served when it was asked: without the asking itself. `at` is an instant of `time.monotonic`."""

    at: float
    connection_count: int
    request_count: int


def parse(text: str) -> tuple[int, int]:
    """Open connections and requests so far, of ngx_http_stub_status_module's page; ValueError when it is none."""
    found = _NUMBERS.search(text)
    if found is None:
        raise ValueError(f"no page of stub_status: {text[:80]!r}")
    return int(found[1]), int(found[2])


class Counter:
    """Asks nginx over one connection of its own, and leaves itself out of the counts."""

    def __init__(self, host: str, port: int) -> None:
        self._connection = HTTPConnection(host, port, timeout=10)
        self._asked_count = 0

    def read(self) -> Reading:
        """Count now. EnvironmentProblem when nginx does not answer."""
        began = time.monotonic()
        try:
            self._connection.request("GET", PATH)
            text = self._connection.getresponse().read().decode()
            connections, requests = parse(text)
        except (OSError, HTTPException, ValueError) as error:
            raise EnvironmentProblem(f"nginx did not say what it served: {error}") from None
        self._asked_count += 1
        at = (began + time.monotonic()) / 2
        return Reading(at, connections - 1, requests - self._asked_count)

    def close(self) -> None:
        """Leave nginx alone."""
        self._connection.close()
