import os
import subprocess
from pathlib import Path

import pytest

from reference_shop.stack import binaries
from reference_shop.stack.folder import may_enter


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """The installation, seen through a folder that only its owner may enter."""
    site = tmp_path / "closed"
    site.mkdir(mode=0o700)
    for name in (binaries.WHEEL, f"{binaries.WHEEL}.libs"):
        (site / name).symlink_to(binaries.installed().parent.with_name(name))
    return site / binaries.WHEEL / binaries.installed().name


def test_the_wheel_carries_the_version_that_is_wanted() -> None:
    program = binaries.installed() / "bin" / "postgres"
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    assert said.startswith(f"postgres (PostgreSQL) {binaries.VERSION}.")


def test_without_another_user_the_installed_programs_are_used(tmp_path: Path) -> None:
    assert binaries.reachable(binaries.installed(), tmp_path, None) == binaries.installed()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the processes as another user")
def test_programs_out_of_the_users_reach_are_copied_once_and_work(state_dir: Path, closed: Path) -> None:
    copies = [binaries.reachable(closed, state_dir, "nobody") for _ in range(2)]
    program = copies[0] / "bin" / "initdb"
    assert (copies[0] == copies[1], closed in copies, may_enter("nobody", program)) == (True, False, True)
    subprocess.run([program, "--version"], user="nobody", extra_groups=[], cwd="/", check=True, capture_output=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the processes as another user")
def test_a_copy_that_the_system_has_swept_is_made_again(state_dir: Path, closed: Path) -> None:
    catalogue = binaries.reachable(closed, state_dir, "nobody") / "share" / "postgresql" / "postgres.bki"
    catalogue.unlink()
    binaries.reachable(closed, state_dir, "nobody")
    assert catalogue.exists()
