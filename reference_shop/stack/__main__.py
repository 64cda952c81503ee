"""`python -m reference_shop.stack`: reads settings from stdin, moves to the background, supervises one stack."""

import os
import sys

from reference_shop.stack.progress import Reporter
from reference_shop.stack.settings import StackSettings
from reference_shop.stack.supervisor import run


def main() -> int:
    """Return 0; what happened was told on standard output."""
    settings = StackSettings.from_json(sys.stdin.read())
    # A child of nobody: whoever started it need not wait for it, and may end before it.
    if os.fork():
        os._exit(0)
    messages = os.dup(sys.stdout.fileno())
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, sys.stdin.fileno())
    os.dup2(nothing, sys.stdout.fileno())
    run(settings, Reporter(messages))
    return 0


if __name__ == "__main__":
    sys.exit(main())
