"""`--objectives FILE` on the command line."""

from pathlib import Path

import pytest

from loadgen.exitcodes import ExitCode
from tests.cli.test_command_line import lonjak


@pytest.mark.parametrize("load", ["mine.toml", "mine.py"])
def test_what_is_wrong_with_a_file_of_objectives_is_told_with_all_the_rest(tmp_path: Path, load: str) -> None:
    (tmp_path / "mine.toml").write_text('[load]\nspeed = 2\n[objectives]\ntps = "> 5"\n')
    (tmp_path / "mine.py").write_text("")
    (tmp_path / "limits.toml").write_text(
        '[objectives.budget]\nfailed_ratio = "< 2"\n[stop_when]\nfailed_ratio = "soon"\n'
    )
    ended = lonjak("run", load, "--objectives", "limits.toml", cwd=tmp_path)
    assert ended.code == ExitCode.USAGE
    assert "Traceback" not in ended.err
    of_scenario = [line for line in ended.err.splitlines() if "scenario mine" in line]
    of_limits = [line for line in ended.err.splitlines() if "limits.toml" in line]
    assert (len(of_scenario), len(of_limits)) == (2 if load == "mine.toml" else 0, 2)
