"""Real runs: the project as a built wheel in an empty folder, a real shop, real load."""

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from loadgen.rundir import RunDirectory
from loadgen.stack import StackProcess, read_stack

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Place:
    """An empty folder to work in, a state folder of its own, and the wheel's packages."""

    folder: Path
    packages: Path
    seen: set[StackProcess] = field(default_factory=set)

    @property
    def environment(self) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("LONJAK_", "PYTHON"))}
        return clean | {"LONJAK_STATE_DIR": str(self.state), "PYTHONPATH": str(self.packages)}

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def runs(self) -> list[RunDirectory]:
        return [RunDirectory(path.parent) for path in sorted(self.folder.glob("runs/*/*/manifest.json"))]

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


def new_place(packages: Path) -> Iterator[Place]:
    # Not below pytest's own folder: that one only its owner may enter, and the shop runs as another user.
    folder = Path(tempfile.mkdtemp(prefix="lonjak-e2e-"))
    folder.chmod(0o711)
    place = Place(folder, packages)
    yield place
    subprocess.run([sys.executable, "-m", "lonjak", "shop", "down"], env=place.environment, check=False, cwd=folder)
    shutil.rmtree(folder)


@pytest.fixture
def place(wheel: Path) -> Iterator[Place]:
    yield from new_place(wheel)


@pytest.fixture(scope="session")
def shared_place(wheel: Path) -> Iterator[Place]:
    yield from new_place(wheel)


def wait_until(condition: object, within_s: float) -> bool:
    """Poll a callable until it is true."""
    assert callable(condition)
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.1)
    return False
