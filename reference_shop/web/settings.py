"""What a shop worker is told on its standard input: one JSON document."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

from reference_shop.protections import PROTECTIONS
from reference_shop.repository.database import MAX_CONNECTIONS
from reference_shop.services.checkout import PENDING_AFTER_S


@dataclass(frozen=True, slots=True)
class WebSettings:
    """The names are those of the JSON document. What has a value here may be left out.

    `protections` are those that are on; `concurrency` bounds the requests in work at once, `max_connections` those of
    the database; `delay_ms` is held back with every request.

    A byte is written to `ready_fd`, when it is given, once the worker accepts requests.
    """

    listen_fd: int
    database_url: str
    schema: str
    payment_url: str
    ops_token: str
    images_dir: Path
    worker: str
    behind_edge: bool
    access_log: Path
    run_as: str | None = None
    pending_after_s: float = PENDING_AFTER_S
    ready_fd: int | None = None
    protections: tuple[str, ...] = tuple(PROTECTIONS)
    concurrency: int = 100
    delay_ms: float = 0.0
    max_connections: int = MAX_CONNECTIONS

    @staticmethod
    def from_json(text: str) -> "WebSettings":
        """Read the document; raises ValueError or TypeError for one that is not as it must be."""
        document = json.loads(text)
        settings = WebSettings(**document)
        if len(settings.ops_token) < 16:
            raise ValueError("ops_token must have at least 16 characters")
        if unknown := set(settings.protections) - set(PROTECTIONS):
            raise ValueError(f"{sorted(unknown)[0]!r} is no protection: choose from {', '.join(PROTECTIONS)}")
        return replace(
            settings,
            images_dir=Path(settings.images_dir),
            access_log=Path(settings.access_log),
            protections=tuple(settings.protections),
        )
