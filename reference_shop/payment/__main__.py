"""`python -m reference_shop.payment`: reads settings from standard input, serves the inherited socket until SIGTERM."""

import socket
import sys

from reference_shop.access_log import AccessLog
from reference_shop.payment.app import create_app
from reference_shop.payment.journal import open_journal
from reference_shop.payment.ledger import Ledger
from reference_shop.payment.observed import Observed
from reference_shop.payment.settings import PaymentSettings
from reference_shop.privileges import drop
from reference_shop.serving import prepare, serve


def main() -> int:
    """Return 0 after a graceful stop, 2 for settings that make no sense."""
    try:
        settings = PaymentSettings.from_json(sys.stdin.read())
    except (ValueError, KeyError, TypeError) as error:
        print(f"payment: the settings on standard input are wrong: {error}", file=sys.stderr)  # noqa: T201
        return 2
    prepare()
    log = AccessLog(settings.access_log, "payment") if settings.access_log else None
    drop(settings.run_as)
    journal, remembered = open_journal(settings.journal)
    ledger = Ledger(
        journal,
        remembered,
        latency=settings.latency,
        decline_ratio=settings.decline_ratio,
        seed=settings.seed,
        concurrency=settings.concurrency,
        delay_s=settings.delay_s,
    )
    serve(Observed(create_app(ledger), log), socket.socket(fileno=settings.listen_fd))
    return 0


if __name__ == "__main__":
    sys.exit(main())
