"""The base URL under load: what is said of it, and whether anybody answers there."""

import re
import socket
from urllib.parse import urlsplit, urlunsplit

from loadgen.errors import TargetUnreachable
from loadgen.gate import host_of

PATIENCE_S = 3.0
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")


def check_reachable(url: str) -> None:
    """Raise TargetUnreachable unless something accepts a connection within three seconds."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((host_of(url), port), timeout=PATIENCE_S).close()
    except OSError as error:
        reason = error.strerror or str(error) or type(error).__name__
        raise TargetUnreachable(
            f"nothing answers at {without_credentials(url)} ({reason}): "
            "start a shop with `lonjak shop up --detach`, or name another target"
        ) from None


def without_credentials(text: str) -> str:
    """A URL, or a command line with URLs in it, without user names and passwords."""
    return _CREDENTIALS.sub("", text)


def base_url(url: str) -> str:
    """The URL without what follows its path; paths are appended to it."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), "", ""))
