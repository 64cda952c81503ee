"""What a program says on standard error, one JSON object a line.

`at` (epoch seconds), `level`, `logger`, `message`; `request_id` while a request is served; `exc` for an accident, its
whole traceback.
"""

import json
import logging
import sys
from types import TracebackType
from typing import TextIO

from reference_shop.request_id import current_request_id

_log = logging.getLogger(__name__)


class JsonLines(logging.Formatter):
    """Makes one line of ASCII of each record: no character in a message can break a line in two."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, object] = {
            "at": round(record.created, 6),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage().rstrip(),
        }
        if request_id := current_request_id.get():
            line["request_id"] = request_id
        if record.exc_info and record.exc_info[0] is not None:
            line["exc"] = self.formatException(record.exc_info)
        return json.dumps(line)


def log_as_json(stream: TextIO) -> None:
    """Have every logger of this process write there, INFO and above; warnings and the accident that ends it as well."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.captureWarnings(capture=True)
    sys.excepthook = _log_the_end


def _log_the_end(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    _log.critical("this program ends: %s", kind.__name__, exc_info=(kind, error, trace))
