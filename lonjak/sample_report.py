"""Makes docs/sample-report/ again: `python -m lonjak.sample_report`, from a checkout with nginx installed.

A real demo, whose documents are drawn once more without what is this machine's own: its name, its system, the port, the
commit. Figures differ from machine to machine, and from one time to the next.
"""

import re
import shutil
import socket
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from loadgen.errors import EnvironmentProblem, LonjakError
from loadgen.exitcodes import ExitCode
from loadgen.manifest import Manifest
from loadgen.rundir import RunDirectory
from lonjak.documents import draw

FOLDER = Path(__file__).parents[1] / "docs" / "sample-report"
DOCUMENTS = ("report.html", "summary.md", "junit.xml", "verdict.json", "summary.json")
DEMO = ("demo", "--seed", "7")
_TARGET = "http://127.0.0.1:8080"
_PICTURES = re.compile(r"data:[^\"')]*")  # letters by chance
_KEPT_OF_HOST = ("cpu_count", "memory_bytes")


def main() -> int:
    """Run the demo and replace the sample by what its cached part came to."""
    with tempfile.TemporaryDirectory(prefix="lonjak-sample-") as text:
        runs = Path(text) / "runs"
        ended = subprocess.run((sys.executable, "-m", "lonjak", *DEMO, "--out", str(runs)), check=False)
        try:
            if ended.returncode != ExitCode.PASS:
                raise EnvironmentProblem(f"the demo ended with {ended.returncode}: a sample is of one that passed")
            make(_cached_part(runs), FOLDER)
        except LonjakError as error:
            print(f"sample_report: {error}", file=sys.stderr)  # noqa: T201  (this is a program)
            return error.exit_code
    return ExitCode.PASS


def make(run: RunDirectory, folder: Path) -> None:
    """Draw a run's documents into a folder without what is this machine's own; the run is changed.

    EnvironmentProblem, and nothing is written, where a path or the name of this machine would be told.
    """
    anonymous(Manifest.read(run.manifest)).write(run.manifest)
    draw(run)
    texts = {name: (run.path / name).read_text(encoding="utf-8") for name in DOCUMENTS}
    own = [rf"\b{re.escape(socket.gethostname())}\b", *map(re.escape, (f"{Path.home()}/", f"{tempfile.gettempdir()}/"))]
    for name, content in texts.items():
        if told := re.search("|".join(own), _PICTURES.sub("", content)):
            raise EnvironmentProblem(f"{name} names {told[0]!r}, which is this machine's own")
    folder.mkdir(parents=True, exist_ok=True)
    for name in DOCUMENTS:
        shutil.copyfile(run.path / name, folder / name)


def anonymous(manifest: Manifest) -> Manifest:
    """The manifest as it would be read on another machine."""
    return replace(
        manifest,
        target=_TARGET,
        targets=(_TARGET,),
        command=f"lonjak {' '.join(DEMO)}",
        commit=None,
        host={name: value for name, value in manifest.host.items() if name in _KEPT_OF_HOST},
    )


def _cached_part(runs: Path) -> RunDirectory:
    found = sorted(runs.glob("edge-compare/*/parts/*-nginx"))
    if not found:
        raise EnvironmentProblem("the demo compared nothing, as nginx is missing: see `lonjak doctor`")
    return RunDirectory.open(found[-1])


if __name__ == "__main__":
    sys.exit(main())
