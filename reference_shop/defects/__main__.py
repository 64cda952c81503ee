"""`python -m reference_shop.defects PROGRAM NAME…`: plants the defects, then is that program.

Everything is imported before the program begins, and so before it drops its privileges (docs/adr/0003).
"""

import sys
from collections.abc import Sequence
from importlib import import_module

from reference_shop.defects import DEFECTS


def main(arguments: Sequence[str]) -> int:
    """Return the program's exit code; 2 for a name that no defect has, or one that has no business in this program."""
    program, *names = arguments or ("",)
    for name in names:
        if name not in DEFECTS or program not in DEFECTS[name].programs:
            fitting = sorted(defect.name for defect in DEFECTS.values() if program in defect.programs)
            told = f"defect {name!r} cannot be planted into {program!r}: choose from {', '.join(fitting) or 'nothing'}"
            print(f"defects: {told}", file=sys.stderr)  # noqa: T201
            return 2
    # First the program, which imports all of its parts: what is then replaced is replaced for all of them.
    run = import_module(f"reference_shop.{program}.__main__").main
    for name in names:
        import_module(f"reference_shop.defects.{DEFECTS[name].module}").plant()
    code: int = run()
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
