"""The examples for CI servers: whole, and every command in them exists with its options."""

import importlib.util
import json
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import click
import pytest

from loadgen.config import load_objectives, load_scenario, scenario_names
from loadgen.exitcodes import ExitCode
from lonjak.__main__ import cli
from reference_shop.edges import PROFILES

ROOT = Path(__file__).parents[2]
GITHUB, GITLAB = ROOT / "docs/ci/github-actions.yml", ROOT / "docs/ci/gitlab-ci.yml"
# The system's Python, as nothing else here needs YAML; BaseLoader leaves every word as it is written.
SYSTEM_PYTHON = "/usr/bin/python3"
TO_JSON = "import json, sys, yaml; print(json.dumps(yaml.load(sys.stdin, yaml.BaseLoader)))"


def parsed(path: Path) -> dict[str, Any]:
    """A YAML file as its parser reads it."""
    if not Path("/usr/lib/python3/dist-packages/yaml/__init__.py").exists():
        pytest.skip("PyYAML is not installed for the system's Python (apt-get install python3-yaml)")
    found = subprocess.run(
        [SYSTEM_PYTHON, "-c", TO_JSON], input=path.read_text(), capture_output=True, text=True, check=True
    )
    document = json.loads(found.stdout)
    assert isinstance(document, dict)
    return document


def github_steps() -> list[dict[str, Any]]:
    [job] = parsed(GITHUB)["jobs"].values()
    return list(job["steps"])


def commands(path: Path) -> list[list[str]]:
    """Every command of an example, as words."""
    if path == GITHUB:
        lines = [line for step in github_steps() for line in step.get("run", "").splitlines()]
    else:
        job = parsed(GITLAB)["load-test"]
        lines = [line for part in ("before_script", "script", "after_script") for line in job[part]]
    return [shlex.split(line) for line in lines]


def of_lonjak(path: Path) -> list[list[str]]:
    return [words[1:] for words in commands(path) if words[0] == ".venv/bin/lonjak"]


def check_options(arguments: list[str]) -> dict[str, Any]:
    """What the real command makes of its arguments; click.UsageError for an option that it does not know."""
    group: click.Command = cli
    words = list(arguments)
    context = click.Context(group, info_name="lonjak")
    while isinstance(group, click.Group):
        name, found, words = group.resolve_command(context, words)
        assert found is not None, name
        context = click.Context(found, info_name=name, parent=context)
        group = found
    return dict(group.make_context(None, words, parent=context.parent).params)


@pytest.mark.parametrize("path", [GITHUB, GITLAB], ids=lambda path: path.name)
def test_every_command_exists_with_its_options(path: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for words in commands(path):
        match [word for word in words if word != "sudo"]:
            case ["make", target]:
                assert target in targets
            case [".venv/bin/python", "-m", module]:
                assert importlib.util.find_spec(module) is not None
            case [".venv/bin/lonjak", *arguments]:
                check_options(arguments)
            case ["apt-get", ("update" | "install"), *_]:
                pass
            case other:
                pytest.fail(f"nobody checks {other}")


@pytest.mark.parametrize("path", [GITHUB, GITLAB], ids=lambda path: path.name)
def test_a_shop_is_started_loaded_with_objectives_and_stopped(path: Path) -> None:
    up, run, down = of_lonjak(path)
    started, asked = check_options(up), check_options(run)
    assert (up[:2], run[0], down) == (["shop", "up"], "run", ["shop", "down"])
    assert (started["edge"] in PROFILES, started["detach"]) == (True, True)
    assert asked["scenario"] in scenario_names()
    load_scenario(asked["scenario"], {name: asked[name] for name in ("rate", "duration")})
    assert len(load_objectives(ROOT / asked["objectives"])) == 5
    assert asked["out"] == Path("runs")


@pytest.mark.parametrize("arguments", [["run", "evening", "--speed", "3"], ["shop", "up", "--edge"], ["dance"]])
def test_an_option_that_is_gone_would_be_noticed(arguments: list[str]) -> None:
    with pytest.raises(click.UsageError):
        check_options(arguments)


def test_githubs_job_keeps_the_run_whatever_came_of_it() -> None:
    steps = github_steps()
    kept = {step["with"]["path"]: step["if"] for step in steps if "upload-artifact" in step.get("uses", "")}
    assert kept == {"runs/": "${{ always() }}", "runs/*/*/junit.xml": "${{ always() }}"}
    [stopped] = [step["if"] for step in steps if step.get("run", "").endswith("shop down")]
    assert stopped == "${{ always() }}"
    assert [step for step in steps if "continue-on-error" in step or "||" in step.get("run", "")] == []
    assert all(re.fullmatch(r"actions/[a-z-]+@v\d+", step["uses"]) for step in steps if "uses" in step)


def test_gitlabs_job_keeps_the_run_and_shows_its_tests() -> None:
    job = parsed(GITLAB)["load-test"]
    assert job["artifacts"] == {"when": "always", "paths": ["runs/"], "reports": {"junit": "runs/*/*/junit.xml"}}
    assert job["allow_failure"] == {"exit_codes": [str(ExitCode.UNKNOWN.value)]}


def test_every_exit_code_is_explained() -> None:
    text = (ROOT / "docs/ci.md").read_text(encoding="utf-8")
    assert [int(code) for code in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)] == [code.value for code in ExitCode]
