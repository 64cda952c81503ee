"""`lonjak plan`: what it writes, what it refuses, and the exit codes."""

import json
import re
from pathlib import Path

import click
import pytest

from analysis.planning.prices import Prices
from analysis.planning.shop_plan import plan
from analysis.planning.wishes import Wishes
from loadgen.errors import ConfigProblem, EnvironmentProblem, LonjakError, RunDirectoryProblem, UsageProblem
from loadgen.exitcodes import ExitCode
from lonjak.commands.plan import command
from lonjak.plan_tables import show
from tests.analysis.planning.shops import measured_shop
from tests.cli.test_command_line import lonjak
from tests.recorded_run import MANIFEST, ordinary
from tests.recorded_study import two_edges

EXAMPLE = Path(__file__).parents[2] / "docs" / "prices.example.toml"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """An evening of a shop whose two workers use half a processor for twenty requests a second."""
    return ordinary().write(tmp_path / "runs").path


def planned(*arguments: str | Path) -> int:
    return int(command.main(list(map(str, arguments)), standalone_mode=False))


def refused(error: type[LonjakError], *arguments: str | Path) -> str:
    with pytest.raises(error) as raised:
        planned(*arguments)
    return str(raised.value)


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_plan_is_written_beside_the_run_and_told(run: Path) -> None:
    before = files(run)
    ended = lonjak("plan", str(run), "--shoppers-per-hour", "36000", "--prices", str(EXAMPLE))
    assert (ended.code, "Traceback" in ended.err) == (ExitCode.PASS, False)
    assert files(run) - before == {"plan.json", "plan.html"}
    assert ended.out.startswith(
        "For 36,000 shoppers per hour (150 orders a minute) it takes 8 workers: 8 of shop, USD "
    )
    assert ended.out.splitlines()[-1] == str(run / "plan.html")
    assert "This rests on:" in ended.out
    document = json.loads((run / "plan.json").read_text())
    # ten times the run's load keeps 5 busy, of which 30 % stay free
    assert document["sizes"][0]["tiers"]["shop"]["busy_count"]["value"] == pytest.approx(5.0)
    assert document["sizes"][0]["tiers"]["shop"]["worker_count"]["value"] == 8


def test_with_out_the_run_is_left_as_it_was(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = files(run)
    assert planned(run, "--orders-per-min", "60", "--out", tmp_path / "new" / "plan") == ExitCode.PASS
    assert (files(run), files(tmp_path / "new" / "plan")) == (before, {"plan.json", "plan.html"})
    assert "14,400 shoppers per hour (60 orders a minute)" in capsys.readouterr().out


def test_an_objective_that_no_number_of_workers_meets_ends_with_1(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert planned(run, "--objective", "response_time_ms.all.p95 < 5") == ExitCode.FAIL
    assert "no number of workers mends that" in capsys.readouterr().out.replace("\n", " ")
    assert json.loads((run / "plan.json").read_text())["objectives"][0]["outcome"] == "fail"


def test_a_run_without_tiers_ends_with_3_and_a_sentence(run: Path) -> None:
    (run / "tiers.csv").unlink()
    before = files(run)
    ended = lonjak("plan", str(run))
    assert ended.code == ExitCode.UNKNOWN
    assert "lonjak: no plan can be made of this run: tiers.csv tells of no process of the shop" in ended.err
    assert (ended.out, "Traceback" in ended.err, files(run)) == ("", False, before)


def test_all_problems_of_a_price_file_are_told_at_once_and_end_with_2(run: Path, tmp_path: Path) -> None:
    (tmp_path / "prices.toml").write_text('currency = ""\n[worker_hour]\nshop = -1\n')
    before = files(run)
    ended = lonjak("plan", str(run), "--prices", str(tmp_path / "prices.toml"))
    assert ended.code == ExitCode.USAGE
    for problem in ("currency is missing or empty", "[worker_hour] shop is -1", "[edge] traffic_gb is missing"):
        assert problem in ended.err
    assert (ended.out, "Traceback" in ended.err, files(run)) == ("", False, before)


def test_numbers_that_are_none_are_told_at_once(run: Path) -> None:
    numbers = ("--shoppers-per-hour", "0", "--orders-per-min", "nan", "--peak-factor", "0.5", "--headroom", "1")
    assert refused(UsageProblem, run, *numbers).splitlines() == [
        "--shoppers-per-hour is 0, but must be a number from 1 to 1e+10",
        "--orders-per-min is nan, but must be a number from 0.01 to 1.7e+08",
        "--peak-factor is 0.5, but must be a number from 1 to 1000",
        "--headroom is 1, but must be a number from 0 to 0.9",
    ]


@pytest.mark.parametrize(
    ("objective", "told"),
    [
        ("failed_ratio < 0.01", "no number of workers decides on it; write 'response_time_ms.all.p95 < 500'"),
        ("response_time_ms.all.p95 > 5", "no number of workers decides on it"),
        ("response_time_ms.all.p95", "'' is not a limit"),
        ("speed < 3", "objective speed is unknown; known: response_time_ms"),
        ("", "is unknown"),
    ],
)
def test_an_objective_that_is_none_is_told(run: Path, objective: str, told: str) -> None:
    assert told in refused(ConfigProblem, run, "--objective", objective, "--objective", "nonsense")
    assert "nonsense" in refused(ConfigProblem, run, "--objective", objective, "--objective", "nonsense")


def test_of_a_study_a_part_has_to_be_named_and_can_be_planned_from(tmp_path: Path) -> None:
    study = two_edges().write(tmp_path)
    told = refused(RunDirectoryProblem, study.path)
    assert told.endswith(f"is a study of several runs: name one of its parts, such as {study.path}/parts/01-nginx")
    assert planned(study.path / "parts" / "01-nginx", "--shoppers-per-hour", "1000") == ExitCode.PASS


def test_every_option_is_explained() -> None:
    document = (EXAMPLE.parent / "plan.md").read_text(encoding="utf-8")
    explained = re.findall(r"^\| `(--[a-z-]+)`", document, flags=re.MULTILINE)
    assert explained == [
        option for parameter in command.params if isinstance(parameter, click.Option) for option in parameter.opts
    ]


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    assert "is not a directory" in refused(RunDirectoryProblem, tmp_path / "nowhere")


def test_where_nothing_can_be_written_another_place_is_asked_for(run: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    told = refused(EnvironmentProblem, run, "--out", tmp_path / "file")
    assert told == f"cannot write a plan into {tmp_path}/file: File exists; give --out DIR"


def test_orders_cannot_be_planned_from_a_run_without_any(tmp_path: Path) -> None:
    history = ordinary()
    history.ledger.clear()
    run = history.write(tmp_path)
    assert "none of its sessions ended in an order" in refused(LonjakError, run.path, "--orders-per-min", "5")


@pytest.mark.parametrize("width", [70, 80, 100, 140])
def test_on_a_terminal_of_any_width_no_number_is_cut_off(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", str(width))
    prices = Prices("USD", {"edge": 0.01, "shop": 0.04, "database": 0.10}, 0.05)
    show(plan(MANIFEST, (), measured_shop(), Wishes(shoppers_per_h=[1.0, 1e5, 1e7, 1e9], prices=prices)))
    shown = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)
    assert max(map(len, shown.splitlines())) <= width
    assert "…" not in shown
    for size in ("1", "100,000", "10,000,000", "1,000,000,000"):
        assert re.search(rf"^(Shoppers|hour).* {size}( |$)", shown, flags=re.MULTILINE)
