"""`lonjak run --baseline` besides the load: what is refused before it, and what stands in the documents after."""

from dataclasses import replace
from pathlib import Path

import pytest

from loadgen.config import load_scenario
from loadgen.errors import RunDirectoryProblem, UsageProblem
from loadgen.exitcodes import ExitCode
from lonjak import baseline
from lonjak.documents import Answer, draw
from tests.cli.test_compare import run


def test_a_baseline_of_another_load_is_refused_before_any_is_sent(tmp_path: Path) -> None:
    before = run(tmp_path, 1)
    scenario = load_scenario("evening", {"rate": "2", "duration": "50s"})
    with pytest.raises(UsageProblem, match="is of another load: rate 1, not 2; run that load, or give --allow rate"):
        baseline.check([before.path], scenario, ())
    assert baseline.check([before.path], scenario, ("rate",)) == [before]
    with pytest.raises(UsageProblem, match="name one"):
        baseline.check([], scenario, ("rate",))


def test_a_damaged_baseline_is_refused_before_any_load_is_sent(tmp_path: Path) -> None:
    before = run(tmp_path, 1)
    before.counters.unlink()
    scenario = load_scenario("evening", {"rate": "1", "duration": "50s"})
    with pytest.raises(RunDirectoryProblem, match=r"counters\.csv is missing"):
        baseline.check([before.path], scenario, ("rate", "duration"))


def test_a_regression_against_the_baseline_fails_a_run_that_passed(tmp_path: Path) -> None:
    before, after = run(tmp_path, 1), run(tmp_path, 2, 30.0)
    first = draw(after)
    assert first.code == ExitCode.PASS
    answer = baseline.judge(first, [before], ())
    assert answer.code == ExitCode.FAIL
    assert "against the baseline: regression: B is worse than A: p95 of all requests rose" in answer.sentence
    for document in (after.report, after.summary_md):
        assert "Against the baseline" in document.read_text()
    assert (after.path / "comparison.html").exists()
    draw(after)  # `lonjak report` shows it again
    assert "Against the baseline" in after.report.read_text()


def test_a_baseline_that_turns_out_unlike_is_told_and_ends_with_2(tmp_path: Path) -> None:
    before, after = run(tmp_path, 1), run(tmp_path, 2)
    answer = baseline.judge(draw(after), [replace(before), before], ())
    assert answer.code == ExitCode.USAGE
    assert "is the same run as" in answer.sentence


def test_an_interrupted_run_is_compared_with_nothing(tmp_path: Path) -> None:
    before, after = run(tmp_path, 1), run(tmp_path, 2, 30.0)
    answer = Answer("unknown: …", after.report, ExitCode.INTERRUPTED)
    assert baseline.judge(answer, [before], ()) == answer
    assert not (after.path / "baseline.json").exists()
