import os
from pathlib import Path

import pytest

from reference_shop.stack import folder
from reference_shop.stack.folder import STATE_VARIABLE, claim, prepare_root, stack_folders
from reference_shop.stack.problems import StackProblem


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(STATE_VARIABLE, str(tmp_path / "state"))
    return tmp_path / "state"


def test_the_state_root_is_private(root: Path) -> None:
    assert prepare_root(None) == root
    assert root.stat().st_mode & 0o777 == 0o700


def test_a_symbolic_link_is_no_state_root(root: Path, tmp_path: Path) -> None:
    root.symlink_to(tmp_path)
    with pytest.raises(StackProblem, match="is a symbolic link"):
        prepare_root(None)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_somebody_else_is_no_state_root(root: Path) -> None:
    root.mkdir()
    os.chown(root, 12345, 12345)
    with pytest.raises(StackProblem, match="belongs to user id 12345"):
        prepare_root(None)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root lets another user run the processes")
def test_a_state_root_out_of_the_users_reach_is_refused(root: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    with pytest.raises(StackProblem, match="the user nobody cannot enter the state folder"):
        prepare_root("nobody")
    assert tmp_path.stat().st_mode & 0o777 == 0o700


def test_a_folder_is_claimed_once_and_emptied_of_what_was_left(root: Path) -> None:
    root.mkdir()
    (root / "stack-8080" / "logs").mkdir(parents=True)
    cleared: list[Path] = []
    place = claim(root, 8080, None, cleared.append)
    assert (cleared, list(place.path.iterdir())) == ([root / "stack-8080"], [])
    with pytest.raises(StackProblem, match="already there for port 8080"):
        claim(root, 8080, None, cleared.append)
    place.remove()
    assert stack_folders() == []


def test_only_folders_of_stacks_are_found(root: Path) -> None:
    for name in ("stack-1", "stack-22", "postgresql-18"):
        (root / name).mkdir(parents=True)
    assert [path.name for path in stack_folders()] == ["stack-1", "stack-22"]
    assert [path.name for path in stack_folders(22)] == ["stack-22"]
    assert folder.lock(root / "stack-3") is None
