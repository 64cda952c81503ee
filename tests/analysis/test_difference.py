"""Runs compared, from their directories to the judgement of each figure, against histories whose figures are known."""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from analysis.difference.difference import compare, document
from analysis.steady_seconds import ALL
from loadgen.errors import RunDirectoryProblem, UsageProblem
from loadgen.rundir import RunDirectory
from tests.autocorrelated_run import Likeness, history, written
from tests.recorded_run import STARTED_AT, History, ordinary


def at(made: History, number: int) -> History:
    """The same history as the `number`th run."""
    made.manifest = replace(
        made.manifest, started_at=STARTED_AT + 100 * number, ended_at=STARTED_AT + 100 * number + 60
    )
    return made


def constant(ms: float, number: int) -> History:
    """The ordinary history with every page at one time."""
    made = at(ordinary(), number)
    for key in made.ok_ms:
        made.ok_ms[key] = [ms] * 20
    return made


def pair(tmp_path: Path, a: History, b: History) -> tuple[list[RunDirectory], list[RunDirectory]]:
    return [a.write(tmp_path / "a")], [b.write(tmp_path / "b")]


def test_pages_that_always_take_a_tenth_longer_are_a_regression_of_a_tenth(tmp_path: Path) -> None:
    found = compare(*pair(tmp_path, constant(20.0, 1), constant(22.0, 2)))
    assert found.verdict == "fail"
    p95 = found.figure(ALL, "p95")
    assert p95 is not None
    assert (p95.outcome, p95.a, p95.b) == ("regression", pytest.approx(20, rel=1e-3), pytest.approx(22, rel=1e-3))
    assert p95.change == pytest.approx(0.10, abs=0.002)
    assert p95.low is not None
    assert p95.high is not None
    assert 0.09 < p95.low < p95.change < p95.high < 0.11


def test_the_same_the_other_way_round_is_an_improvement(tmp_path: Path) -> None:
    found = compare(*pair(tmp_path, constant(22.0, 1), constant(20.0, 2)))
    assert found.verdict == "pass"
    assert [each.figure.name for each in found.of("improvement") if each.figure.page_kind == ALL][:3] == [
        "p50",
        "p90",
        "p95",
    ]


def test_runs_that_could_not_have_shown_a_doubling_give_no_answer(tmp_path: Path) -> None:
    sides = []
    for number, stalled in ((1, (20, 21, 40)), (2, (30, 50, 51))):
        made = constant(20.0, number)
        for key in made.ok_ms:
            if key[0] in stalled:
                made.ok_ms[key] = [2000.0] * 20
        sides.append(made)
    found = compare(*pair(tmp_path, *sides))
    assert found.verdict == "unknown"
    [doubt] = found.doubts
    assert doubt.startswith("These runs would not even have shown that p95 of all requests doubled")
    assert {each.outcome for each in found.figures} <= {"unknown", "too few samples"}


def test_a_change_within_the_margin_is_no_evidence_however_certain(tmp_path: Path) -> None:
    sides = pair(tmp_path, constant(100.0, 1), constant(102.0, 2))
    assert compare(*sides).of("regression") == []
    assert compare(*sides, margin_ratio=0.0).of("regression") != []


def test_two_alike_runs_show_no_evidence_and_what_they_could_have_shown(tmp_path: Path) -> None:
    found = compare([written(tmp_path, 1)], [written(tmp_path, 2)])
    assert (found.verdict, found.doubts, found.of("regression"), found.of("improvement")) == ("pass", (), [], [])
    p95 = found.figure(ALL, "p95")
    assert p95 is not None
    assert p95.smallest is not None
    assert p95.needed is not None
    assert p95.smallest > 0.1
    assert p95.needed.steady_s > 60


def test_failures_of_one_page_kind_are_a_regression_of_it(tmp_path: Path) -> None:
    broken = constant(20.0, 2)
    for second in range(60):
        broken.ok_ms[second, "product"] = [20.0] * 18
        broken.failed[second, "product"] = {"http_5xx": 2}
    found = compare(*pair(tmp_path, constant(20.0, 1), broken))
    failed, goodput = found.figure("product", "failed_ratio"), found.figure(ALL, "goodput_per_s")
    assert failed is not None
    assert goodput is not None
    assert (failed.outcome, failed.change) == ("regression", pytest.approx(0.1))
    assert (goodput.outcome, goodput.change) == ("regression", pytest.approx(-0.1))
    assert (goodput.a, goodput.b) == (20.0, 18.0)


def test_shoppers_who_stop_buying_are_a_regression_of_conversion(tmp_path: Path) -> None:
    a, b = written(tmp_path, 1, Likeness(steady_s=120)), written(tmp_path, 2, Likeness(steady_s=120, paid_ratio=0.02))
    conversion = compare([a], [b]).figure(ALL, "conversion_ratio")
    assert conversion is not None
    assert conversion.outcome == "regression"


def test_runs_that_differ_as_much_among_themselves_as_the_sides_do_are_no_evidence(tmp_path: Path) -> None:
    like = Likeness(steady_s=60, second_sd=0.02, run_sd=0.15)
    runs = [written(tmp_path, seed, like) for seed in range(20, 26)]
    one_a_side = [compare([runs[at]], [runs[at + 1]]).of("regression") for at in range(5)]
    assert any(one_a_side)  # what seconds show says nothing of what runs do
    assert compare(runs[:3], runs[3:]).of("regression") == []


def test_several_steady_runs_a_side_find_what_is_there(tmp_path: Path) -> None:
    like = Likeness(steady_s=60, second_sd=0.02, run_sd=0.01)
    a = [written(tmp_path, seed, like) for seed in (31, 32, 33)]
    b = [written(tmp_path, seed, replace(like, slower_ratio=1.4)) for seed in (34, 35, 36)]
    found = compare(a, b)
    p95 = found.figure(ALL, "p95")
    assert p95 is not None
    assert p95.outcome == "regression"
    assert p95.needed is not None
    assert (p95.needed.steady_s, p95.needed.runs >= 2) == (60, True)


def test_the_same_runs_give_the_same_bytes_and_no_number_that_is_none(tmp_path: Path) -> None:
    sides = [written(tmp_path, 1)], [written(tmp_path, 2, Likeness(failed_ratio=0.01))]
    text = document(compare(*sides))
    assert text == document(compare(*sides))
    assert "NaN" not in text
    assert "Infinity" not in text
    assert json.loads(text)["verdict"] == "fail"  # one request in a hundred fails that did not


def test_page_kinds_of_one_side_only_are_named(tmp_path: Path) -> None:
    more = constant(20.0, 2)
    for second in range(60):
        more.ok_ms[second, "cart"] = [20.0] * 3
    found = compare(*pair(tmp_path, constant(20.0, 1), more))
    assert found.notes == (
        "Only B has cart (120 requests): not compared, though counted in the figures over all requests.",
    )
    assert {each.figure.page_kind for each in found.figures} == {ALL, "product"}


def without_success(number: int) -> History:
    made = constant(20.0, number)
    for key in list(made.ok_ms):
        made.failed[key] = {"connect": len(made.ok_ms.pop(key))}
    return made


def test_a_b_that_answers_nothing_is_a_regression_and_an_a_that_does_says_nothing(tmp_path: Path) -> None:
    found = compare(*pair(tmp_path, constant(20.0, 1), without_success(2)))
    assert (found.verdict, found.figure(ALL, "p95")) == ("fail", None)
    turned = compare(*pair(tmp_path / "turned", without_success(1), constant(20.0, 2)))
    assert turned.verdict == "unknown"
    assert turned.doubts == ("No request of A succeeded, so nothing can have become worse: mend A, and run it again.",)
    assert {each.outcome for each in turned.figures} == {"unknown"}


def of_one_request(number: int) -> History:
    made = at(history(number), number)
    made.ok_ms = {(30, "product"): [20.0]}
    return made


def interrupted(number: int) -> History:
    made = constant(20.0, number)
    made.manifest = replace(made.manifest, complete=False, interrupted=True)
    return made


def of_a_busy_generator(number: int) -> History:
    made = constant(20.0, number)
    made.loop_lag_ms = dict.fromkeys(range(60), 900.0)
    return made


def without_steady_phase(number: int) -> History:
    made = constant(20.0, number)
    made.manifest = replace(made.manifest, plan=replace(made.manifest.plan, duration_s=12.0))
    return made


def without_requests(number: int) -> History:
    made = constant(20.0, number)
    made.ok_ms.clear()
    return made


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (of_one_request, "Every figure has too few samples to be judged: run longer."),
        (interrupted, "was interrupted after 60 s."),
        (of_a_busy_generator, "The generator was the bottleneck in 40 of 40 seconds"),
        (without_steady_phase, "has 2 steady seconds, and 10 are needed."),
        (without_requests, "recorded no request."),
    ],
)
def test_of_runs_that_prove_nothing_nothing_is_said(
    made: Callable[[int], History], reason: str, tmp_path: Path
) -> None:
    found = compare(*pair(tmp_path, made(1), made(2)), allowed=("duration",))
    assert found.verdict == "unknown"
    assert reason in found.doubts[0]
    assert {each.outcome for each in found.figures} <= {"unknown", "too few samples"}
    text = document(found)
    assert "NaN" not in text
    for each in found.figures:
        assert all(value is None or math.isfinite(value) for value in (each.a, each.b, each.change, each.low))


def test_a_run_is_not_compared_with_itself_nor_with_a_copy(tmp_path: Path) -> None:
    one, copy = constant(20.0, 1).write(tmp_path / "one"), constant(20.0, 1).write(tmp_path / "copy")
    for other in (one, copy):
        with pytest.raises(UsageProblem, match="is the same run as"):
            compare([one], [other])


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        (",2000,0,", r"latency\.hlog times 1,200 ok requests, counters\.csv counts 3,180"),
        (",20,27,", r"counters\.csv says that in second 0 27 of 20 requests of product failed"),
    ],
)
def test_a_run_whose_counts_cannot_be_true_together_is_refused(counts: str, told: str, tmp_path: Path) -> None:
    a, b = pair(tmp_path, constant(20.0, 1), constant(20.0, 2))
    lines = b[0].counters.read_text().splitlines()
    lines[1] = lines[1].replace(",20,0,", counts, 1)
    b[0].counters.write_text("\n".join(lines) + "\n")
    with pytest.raises(RunDirectoryProblem, match=f"contradicts itself: {told}"):
        compare(a, b)


def test_more_sessions_that_paid_than_arrived_are_refused(tmp_path: Path) -> None:
    made = constant(20.0, 2)
    made.funnel[0]["paid_count"] = 1000
    with pytest.raises(RunDirectoryProblem, match="1,014 sessions that reached paid, but only 60 that arrived"):
        compare(*pair(tmp_path, constant(20.0, 1), made))


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ("scenario", "scenario (evening / morning)"),
        ("rate", "rate (1 / 2)"),
        ("duration", "duration (50 / 45)"),
        ("seed", "seed (7 / 8)"),
        ("edge", "edge (nginx / varnish)"),
        ("versions", "versions (lonjak 0.1.0 / lonjak 0.2.0)"),
        ("machine", "machine (cpu_count 2 / cpu_count 4)"),
        ("products", "products (20000 / 500)"),
        ("generators", "generators (1 / 0)"),
    ],
)
def test_unlike_runs_are_refused_with_what_differs_unless_it_may(field: str, told: str, tmp_path: Path) -> None:
    a, b = constant(20.0, 1), constant(20.0, 2)
    a.manifest = replace(a.manifest, products=20_000)
    changed = {
        "scenario": {"scenario": "morning"},
        "rate": {"plan": replace(a.manifest.plan, rate_per_s=2.0)},
        "duration": {"plan": replace(a.manifest.plan, duration_s=45.0)},
        "seed": {"seed": 8},
        "edge": {"edge": "varnish"},
        "versions": {"versions": {"lonjak": "0.2.0"}},
        "machine": {"host": {"cpu_count": 4, "memory_bytes": 2**33}},
        "products": {"products": 500},
        "generators": {"workers": ()},
    }
    b.manifest = replace(b.manifest, **changed[field])  # type: ignore[arg-type]
    sides = pair(tmp_path, a, b)
    with pytest.raises(UsageProblem) as refused:
        compare(*sides)
    assert told in str(refused.value)
    assert f"--allow {field}" in str(refused.value)
    assert [each.field for each in compare(*sides, allowed=(field,)).allowed] == [field]


def test_other_settings_of_the_scenario_are_another_load_but_other_objectives_are_not(tmp_path: Path) -> None:
    a, b = constant(20.0, 1), constant(20.0, 2)
    a.objectives = '[shoppers]\npatience_s = 8.0\n[objectives]\nfailed_ratio = "< 0.01"\n'
    b.objectives = a.objectives.replace("0.01", "0.02")
    assert compare(*pair(tmp_path, a, b)).allowed == ()
    b.objectives = a.objectives.replace("8.0", "2.0")
    b.manifest = replace(b.manifest, started_at=b.manifest.started_at + 1)
    with pytest.raises(UsageProblem, match=r"settings \(shoppers.patience_s 8.0 / shoppers.patience_s 2.0\)"):
        compare(*pair(tmp_path / "other", a, b))


def test_new_seeds_for_every_run_are_alike_on_both_sides(tmp_path: Path) -> None:
    made = [constant(20.0, number) for number in range(4)]
    for number, each in enumerate(made):
        each.manifest = replace(each.manifest, seed=number)
    runs = [each.write(tmp_path / str(number)) for number, each in enumerate(made)]
    assert compare(runs[:2], runs[2:]).verdict == "pass"
    with pytest.raises(UsageProblem, match=r"seed \(0, 1 / 2\)"):
        compare(runs[:2], runs[2:3])


def test_a_field_that_is_none_is_told_the_fields(tmp_path: Path) -> None:
    with pytest.raises(UsageProblem, match="--allow colour is no field of a run; the fields are scenario, model"):
        compare(*pair(tmp_path, constant(20.0, 1), constant(20.0, 2)), allowed=("colour",))
