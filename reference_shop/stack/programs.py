"""Our own programs, by this very interpreter."""

import sys
from collections.abc import Iterable

from reference_shop.defects import DEFECTS


def program(name: str, defects: Iterable[str] = ()) -> tuple[str, ...]:
    """How a program is run, with those of the defects planted that are to be planted in it."""
    planted = [defect for defect in dict.fromkeys(defects) if name in DEFECTS[defect].programs]
    module = ("reference_shop.defects", name, *planted) if planted else (f"reference_shop.{name}",)
    return (sys.executable, "-P", "-m", *module)  # -P keeps the working folder off the import path
