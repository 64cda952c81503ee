"""`python -m reference_shop.web`: one shop worker.

Reads its settings from standard input and serves the inherited socket until SIGTERM.
"""

import socket
import sys

from reference_shop.access_log import AccessLog
from reference_shop.privileges import drop
from reference_shop.serving import prepare, serve
from reference_shop.web.app import create_app
from reference_shop.web.files import StaticFiles
from reference_shop.web.pages import Pages
from reference_shop.web.settings import WebSettings


def main() -> int:
    """Return 0 after a graceful stop, 2 for settings that make no sense."""
    try:
        settings = WebSettings.from_json(sys.stdin.read())
    except (ValueError, TypeError) as error:
        print(f"web: the settings on standard input are wrong: {error}", file=sys.stderr)  # noqa: T201
        return 2
    prepare()
    static = StaticFiles()
    pages = Pages(static)
    log = AccessLog(settings.access_log, settings.worker)
    drop(settings.run_as)
    serve(
        create_app(settings, static, pages, log),
        socket.socket(fileno=settings.listen_fd),
        settings.ready_fd,
        drain="graceful-drain" in settings.protections,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
