"""How faults ask caches to forget a page: by its key where a door can, else by its address, at every door in turn."""

from collections.abc import Sequence
from dataclasses import dataclass

import requests
from requests.adapters import HTTPAdapter

from loadgen.stack import PurgeDoor

_LIMIT_S = 5.0


@dataclass(frozen=True, slots=True)
class PurgedPage:
    """A page of the catalogue as its address, and as its surrogate key."""

    path: str
    key: str


class PurgeDoors:
    """The doors of one stack, origin side first; `host` is what shoppers' requests name, so what the caches' keys hold.

    As many as `at_once` greenlets may purge at the same time.
    """

    def __init__(self, doors: Sequence[PurgeDoor], host: str, at_once: int) -> None:
        self._doors = tuple(doors)
        self._host = host
        self._session = requests.Session()
        self._session.trust_env = False  # the doors are this machine's own: no proxy in between
        self._session.mount("http://", HTTPAdapter(pool_maxsize=at_once))

    def purge(self, page: PurgedPage, request_id: str) -> str:
        """Purge a page everywhere; why it failed at the first door that refused it, empty when none did."""
        failures = [self._ask(door, page, request_id) for door in self._doors]
        return next((failure for failure in failures if failure), "")

    def close(self) -> None:
        """Keep no connection."""
        self._session.close()

    def _ask(self, door: PurgeDoor, page: PurgedPage, request_id: str) -> str:
        headers = {"Host": self._host, "X-Request-ID": request_id}
        path = page.path
        if "key" in door.by:
            path, headers["Surrogate-Key"] = "/", page.key
        try:
            answer = self._session.request(
                "PURGE", door.url.rstrip("/") + path, headers=headers, timeout=_LIMIT_S, allow_redirects=False
            )
        except requests.RequestException as error:
            return f"{door.cache}: {type(error).__name__}"
        return "" if answer.status_code == 200 else f"{door.cache}: status {answer.status_code}"
