"""The VCL, by Varnish's own tests: what happens between requests, which no client sees."""

import re
import subprocess
from pathlib import Path

import pytest

from reference_shop.edges import PROFILES, EdgeOptions
from reference_shop.edges.layout import Origin, Site, lay_out
from reference_shop.edges.programs import find_executable
from tests.edges.running import require

_TESTS = sorted((Path(__file__).parent / "vtc").glob("*.vtc"))
_PORT = 65000


@pytest.mark.parametrize("script", _TESTS, ids=[path.stem for path in _TESTS])
def test_vcl(script: Path, tmp_path: Path) -> None:
    require("varnish")
    program = find_executable("varnishtest")
    assert program
    filled_in = re.sub(r"(?m)^EDGE\((\w+)\)$", lambda found: _edge_before(found[1]), script.read_text())
    (tmp_path / script.name).write_text(filled_in)
    result = subprocess.run((program, "-t", "30", tmp_path / script.name), capture_output=True, text=True, check=False)
    assert result.returncode == 0, "\n".join(result.stdout.splitlines()[-60:])


def test_there_are_scripts() -> None:
    assert len(_TESTS) >= 3


def _edge_before(server: str) -> str:
    """The edge's program with one of the script's servers as the origin."""
    site = Site(
        profile=PROFILES["varnish"],
        options=EdgeOptions(),
        origin=Origin("127.0.0.1", _PORT),
        public_ports=(65001,),
        inner_ports={},
        folder=Path("/nowhere"),
        worker_count=1,
        is_shop=False,
    )
    vcl = next(iter(lay_out(site)[0].files.values()))
    return vcl.replace(f'"{_PORT}"', f'"${{{server}_port}}"').replace('"127.0.0.1"', f'"${{{server}_addr}}"')
