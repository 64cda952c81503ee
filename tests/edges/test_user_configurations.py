"""The configurations that docs/edge-config.md shows are ones that nginx and Varnish take."""

import re
from pathlib import Path

import pytest

from reference_shop.edges import PROFILES, EdgeOptions
from reference_shop.edges.layout import EdgeProcess, Origin, Site, lay_out
from tests.edges.running import furnish, private_folder, require, run_as_user

DOCUMENT = Path(__file__).parents[2] / "docs" / "edge-config.md"
UNSAFE = sorted((Path(__file__).parent / "unsafe").iterdir())


def shown(language: str) -> str:
    """The one example in a language."""
    (text,) = re.findall(rf"^```{language}\n(.*?)^```", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return str(text)


def laid_out(config: Path, folder: Path) -> EdgeProcess:
    site = Site(
        profile=PROFILES["custom"],
        options=EdgeOptions(config=str(config)),
        origin=Origin("127.0.0.1", 65_000),
        public_ports=(65_001,),
        inner_ports={},
        folder=folder,
        worker_count=1,
    )
    return lay_out(site)[0]


def accepted(config: Path) -> bool:
    """Whether the program takes the configuration; what it says otherwise is shown."""
    require("varnish" if config.suffix == ".vcl" else "nginx")
    with private_folder() as folder:
        process = laid_out(config, folder)
        furnish(folder, process)
        own = folder / process.role
        if config.suffix == ".vcl":
            command: tuple[str, ...] = ("varnishd", "-C", "-n", str(own / "compiled"), "-f", str(own / "edge.vcl"))
        else:
            command = (*process.command, "-t")
        with (own / "said").open("wb") as said:
            code = run_as_user(command, folder, said.fileno()).wait(60)
        print((own / "said").read_text()[-2000:] if code else "")
        return code == 0


@pytest.mark.parametrize(("language", "name"), [("nginx", "mine.conf"), ("vcl", "mine.vcl")])
def test_the_examples_are_taken(language: str, name: str, tmp_path: Path) -> None:
    config = tmp_path / name
    config.write_text(shown(language), encoding="utf-8")
    assert accepted(config)


@pytest.mark.parametrize("config", UNSAFE, ids=lambda path: path.name)
def test_what_is_unsafe_on_purpose_starts_at_least(config: Path) -> None:
    assert accepted(config)
