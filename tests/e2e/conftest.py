"""Real runs: the project as a built wheel in an empty folder, a real shop, real load."""

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from loadgen.rundir import RunDirectory
from loadgen.stack import StackProcess, read_stack
from loadgen.studydir import StudyDirectory, is_study

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Place:
    """An empty folder to work in, a state folder of its own, and the wheel's packages."""

    folder: Path
    packages: Path
    state: Path
    seen: set[StackProcess] = field(default_factory=set)
    programs: Path | None = None  # a folder whose programs hide the system's

    @property
    def environment(self) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("LONJAK_", "PYTHON"))}
        hidden = {"PATH": f"{self.programs}:{clean['PATH']}"} if self.programs else {}
        return clean | {"LONJAK_STATE_DIR": str(self.state), "PYTHONPATH": str(self.packages)} | hidden

    @property
    def runs(self) -> list[RunDirectory]:
        """Whole runs, those that are parts of a study included, in the order of their folders."""
        alone = [path for path in self.folder.glob("runs/*/*/manifest.json") if not is_study(path.parent)]
        parts = self.folder.glob("runs/*/*/parts/*/manifest.json")
        return [RunDirectory(path.parent) for path in sorted([*alone, *parts])]

    @property
    def studies(self) -> list[StudyDirectory]:
        return [
            StudyDirectory(path.parent)
            for path in sorted(self.folder.glob("runs/*/*/manifest.json"))
            if is_study(path.parent)
        ]

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "lonjak", *arguments],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str, timeout_s: float = 150) -> "subprocess.CompletedProcess[str]":
        process = self.start(*arguments)
        watcher = threading.Thread(target=self._look_until_it_ends, args=(process,), daemon=True)
        watcher.start()
        out, err = process.communicate(timeout=timeout_s)
        watcher.join()
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def look(self) -> None:
        """Remember every process that a stack of this place has."""
        for path in self.state.glob("stack-*/stack.json"):
            try:
                stack = read_stack(path)
            except Exception:
                continue
            self.seen.update(stack.processes)

    def left_over(self) -> list[StackProcess]:
        return [process for process in self.seen if process.alive]

    def _look_until_it_ends(self, process: "subprocess.Popen[str]") -> None:
        while process.poll() is None:
            self.look()
            time.sleep(0.2)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's packages, installed from the wheel that is built of this tree."""
    built = tmp_path_factory.mktemp("wheel")
    source = built / "source"
    shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns(".*", "runs", "build", "*.egg-info", "__pycache__"))
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", str(built), str(source)], check=True)
    (archive,) = built.glob("*.whl")
    packages = built / "packages"
    subprocess.run([*pip, "install", "--no-deps", "--target", str(packages), str(archive)], check=True)
    return packages


@pytest.fixture(scope="session")
def state() -> Iterator[Path]:
    """One state folder for all: what the shop draws once, its pictures, stays there."""
    # Not below pytest's own folder: that one only its owner may enter, and the shop runs as another user.
    folder = Path(tempfile.mkdtemp(prefix="lonjak-e2e-"))
    folder.chmod(0o711)
    yield folder / "state"
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def new_place(
    wheel: Path, state: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], AbstractContextManager[Place]]:
    """Makes places; at the end of each nothing of it runs any more."""

    @contextmanager
    def make() -> Iterator[Place]:
        place = Place(tmp_path_factory.mktemp("empty"), wheel, state)
        try:
            yield place
        finally:
            subprocess.run([sys.executable, "-m", "lonjak", "shop", "down"], env=place.environment, check=False)

    return make


@pytest.fixture
def place(new_place: Callable[[], AbstractContextManager[Place]]) -> Iterator[Place]:
    with new_place() as made:
        yield made


def wait_until(condition: object, within_s: float) -> bool:
    """Poll a callable until it is true."""
    assert callable(condition)
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.1)
    return False
