"""A state folder that the unprivileged user can reach (pytest's own is closed to it), and one stack for all."""

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from reference_shop.edges import programs
from reference_shop.stack import client, document
from reference_shop.stack.document import StackDocument
from reference_shop.stack.folder import STATE_VARIABLE
from reference_shop.stack.settings import StackSettings, default_run_as

Result = TypeVar("Result")
CPU = max(os.sched_getaffinity(0))


@pytest.fixture(scope="session")
def state_dir() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="lonjak-test-"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path)


@pytest.fixture(autouse=True)
def _own_state(state_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STATE_VARIABLE, str(state_dir))


def small(**changes: object) -> StackSettings:
    """A stack that is soon up: one worker, few products, no edge, no back office, a free port."""
    values: dict[str, object] = {"port": 0, "workers": 1, "products": 50, "edge": "direct", "changes_per_s": 0}
    return StackSettings(**{**values, "run_as": default_run_as(), **changes})  # type: ignore[arg-type]


def silent(_progress: object) -> None:
    """Nobody watches the start."""


@pytest.fixture
def start() -> Iterator[Callable[[StackSettings], Path]]:
    """Starts stacks of the test's own; all are gone after it."""
    folders: list[Path] = []

    def start_one(settings: StackSettings) -> Path:
        folders.append(client.start(settings, silent).parent)
        return folders[-1]

    yield start_one
    for folder in folders:
        client.stop(port_of(folder))


@pytest.fixture(scope="session")
def shared(state_dir: Path) -> Iterator[Path]:
    """The folder of one stack with two workers, behind nginx where that is installed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(STATE_VARIABLE, str(state_dir))
        edge = "nginx" if programs.find("nginx") else "direct"
        folder = client.start(small(workers=2, products=500, edge=edge, stack_cpus=(CPU,)), silent).parent
    yield folder
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(STATE_VARIABLE, str(state_dir))
        client.stop(port_of(folder))


def port_of(folder: Path) -> int:
    return int(folder.name.rpartition("-")[2])


def stack_in(folder: Path) -> StackDocument:
    stack = document.read(folder)
    assert stack is not None
    return stack


def eventually(look: Callable[[], Result], within_s: float = 60.0) -> Result:
    """What `look` returns once that is true; a busy machine needs a while, and nobody else is kept waiting."""
    deadline = time.monotonic() + within_s
    while not (result := look()):
        assert time.monotonic() < deadline, f"still {result!r} after {within_s} s"
        time.sleep(0.05)
    return result
