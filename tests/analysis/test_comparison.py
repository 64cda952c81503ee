"""A study made by hand, and every figure, verdict and sentence that must come of it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from analysis.bootstrap import Estimate
from analysis.comparison import Comparison, compare, documents
from analysis.steady_seconds import ALL, CATALOGUE
from loadgen.edge_comparison import ComparedProfile, ExpectedSafety, StudyManifest
from loadgen.errors import RunDirectoryProblem
from loadgen.studydir import StudyDirectory, is_study
from tests.recorded_run import History
from tests.recorded_study import Study, history_of, logged, two_edges


def exactly(value: float) -> Estimate:
    """A figure that was the same in every second."""
    return Estimate(*[pytest.approx(value, rel=1e-3)] * 3)


def nginx(comparison: Comparison) -> Estimate:
    return comparison.figures("nginx").response(CATALOGUE, "p95")


def leaking(profile: str, check: str = "visitor") -> History:
    history = history_of(profile, ms=20.0, origin_per_s=4)
    for second in range(10):
        history.checked(second, check, 20, alarms=int(second == 5))
    return history


def overloaded(profile: str) -> History:
    """A part of which the generator was the bottleneck."""
    history = history_of(profile, ms=20.0, origin_per_s=4)
    history.loop_lag_ms = dict.fromkeys(range(60), 400.0)
    return history


def failing(profile: str) -> History:
    """A part whose pages are slower than its objective of 300 ms."""
    return history_of(profile, ms=900.0, origin_per_s=20)


def verdict(study: Study, folder: Path) -> tuple[str, str | None, tuple[str, ...]]:
    found = compare(study.write(folder)).verdict
    return found.verdict, found.cause, found.reasons


def test_figures_of_constant_seconds_are_exact_and_their_intervals_have_no_width(tmp_path: Path) -> None:
    figures = compare(two_edges().write(tmp_path)).figures("nginx")
    assert figures.response(CATALOGUE, "p95") == exactly(20.0)
    assert figures.response(ALL, "p50") == figures.response("product", "p50") == exactly(20.0)
    assert figures.request_hit_ratio == figures.byte_hit_ratio == exactly(0.8)
    assert figures.offload_ratio == exactly(0.8)
    assert figures.origin_per_s == exactly(4.0)
    assert figures.cpu_s_per_1000 == {"shop": exactly(25.0)}  # half a core while 20 requests come in a second
    assert figures.cpu_total == exactly(25.0)
    assert (figures.request_count, figures.failed_count, figures.orders_count) == (1200, 0, 15)


def test_a_profile_without_a_cache_has_no_hit_ratio_and_no_offload_and_spares_nothing(tmp_path: Path) -> None:
    figures = compare(two_edges().write(tmp_path)).figures("nginx-pass")
    assert figures.request_hit_ratio == figures.byte_hit_ratio == Estimate()
    assert (figures.offload_ratio, figures.spared_ratio) == (Estimate(), exactly(0.0))
    assert figures.origin_per_s == exactly(20.0)


def test_seconds_that_differ_give_an_interval_around_the_figure(tmp_path: Path) -> None:
    study = two_edges()
    for second in range(10, 50):
        study.histories["nginx"][0].ok_ms[second, "product"] = [10.0 + second] * 20
    estimate = nginx(compare(study.write(tmp_path)))
    assert estimate.low is not None
    assert estimate.high is not None
    assert estimate.low < 57.0 < estimate.high < 60.0  # p95 of 20 .. 59 ms, all seconds alike


def test_seconds_outside_the_steady_phase_do_not_count(tmp_path: Path) -> None:
    study = two_edges()
    for second in (*range(10), *range(50, 60)):
        study.histories["nginx"][0].ok_ms[second, "product"] = [700.0] * 20
        study.histories["nginx"][0].origin[second] = logged(second, 500)
    figures = compare(study.write(tmp_path)).figures("nginx")
    assert (figures.response(ALL, "p99"), figures.offload_ratio) == (exactly(20.0), exactly(0.8))


def test_probes_are_no_shoppers_but_work_for_the_processors(tmp_path: Path) -> None:
    study = two_edges()
    study.histories["nginx"][0].origin += [{**logged(second, 9), "cache_status": "probe"} for second in range(60)]
    for second in range(60):
        study.histories["nginx"][0].ok_ms[second, "probe"] = [500.0] * 20
    figures = compare(study.write(tmp_path)).figures("nginx")
    assert (figures.response(ALL, "p99"), "probe" in figures.response_ms) == (exactly(20.0), False)
    assert (figures.offload_ratio, figures.origin_per_s, figures.cpu_total) == (
        exactly(0.8),
        exactly(4.0),
        exactly(12.5),
    )
    assert figures.cpu_s_per_1000 == {"shop": exactly(12.5)}


def test_what_probes_find_cacheable_or_failing_is_in_no_ratio_of_shoppers(tmp_path: Path) -> None:
    study = two_edges()
    for second in range(60):
        study.histories["nginx"][0].failed[second, "probe"] = {"http_4xx": 20}
        study.histories["nginx"][0].cacheable[second, "probe"] = (20, 0)
    figures = compare(study.write(tmp_path)).figures("nginx")
    assert (figures.request_hit_ratio, figures.failed_ratio) == (exactly(0.8), exactly(0.0))


def test_what_failed_was_not_spared(tmp_path: Path) -> None:
    study = two_edges()
    for second in range(60):
        study.histories["nginx"][0].ok_ms[second, "product"] = [20.0] * 10
        study.histories["nginx"][0].failed[second, "product"] = {"http_5xx": 10}
    assert compare(study.write(tmp_path)).figures("nginx").offload_ratio == exactly(0.6)


def test_the_offload_of_a_part_is_that_of_its_own_report(tmp_path: Path) -> None:
    study = two_edges()
    study.histories["nginx"][0].failed[20, "product"] = {"http_5xx": 40}
    study.histories["nginx"][0].origin.append({**logged(20, 100), "cache_status": "background"})
    figures = compare(study.write(tmp_path)).figures("nginx")
    assert figures.parts[0].analysis.network.origin.offload_ratio == pytest.approx(1 - 260 / 800)  # type: ignore[union-attr]
    assert figures.offload_ratio.value == pytest.approx(1 - 260 / 800)


def test_what_purges_cost_is_work_for_the_shop_but_not_held_against_the_cache(tmp_path: Path) -> None:
    study = two_edges()
    study.histories["nginx"][0].origin += [{**logged(second, 2), "cache_status": "purge"} for second in range(60)]
    figures = compare(study.write(tmp_path)).figures("nginx")
    assert (figures.origin_per_s, figures.offload_ratio) == (exactly(6.0), exactly(0.8))


def test_without_the_shops_log_nothing_is_said_of_the_origin(tmp_path: Path) -> None:
    study = two_edges()
    study.histories["nginx"][0].origin.clear()
    figures = compare(study.write(tmp_path)).figures("nginx")
    assert figures.offload_ratio == figures.origin_per_s == Estimate()


def test_repeats_are_taken_together_and_their_difference_widens_the_interval(tmp_path: Path) -> None:
    study = Study(
        {
            "nginx": [history_of("nginx", ms=ms, origin_per_s=4) for ms in (20.0, 40.0)],
            "nginx-pass": [history_of("nginx-pass", ms=60.0, origin_per_s=20) for _ in range(2)],
        }
    )
    comparison = compare(study.write(tmp_path))
    estimate = comparison.figures("nginx").response(CATALOGUE, "p50")
    assert (estimate.low, estimate.high) == (pytest.approx(20.0, rel=1e-3), pytest.approx(40.0, rel=1e-3))
    assert [part.label for part in comparison.manifest.parts] == [
        "01-nginx", "02-nginx-pass", "03-nginx-pass", "04-nginx",
    ]  # fmt: skip
    assert comparison.figures("nginx").orders_count == 30


def test_the_share_of_the_processors_is_that_of_generator_and_stack(tmp_path: Path) -> None:
    study = two_edges()
    history = study.histories["nginx-pass"][0]
    history.tiers += [{**row, "role": "shop-3", "cpu_ratio": 0.2} for row in history.tiers if row["role"] == "shop-1"]
    comparison = compare(study.write(tmp_path))
    used = {name: comparison.figures(name).parts[0] for name in ("nginx", "nginx-pass")}
    assert [part.used.generator_ratio for part in used.values()] == [pytest.approx(0.3)] * 2  # of its one processor
    assert [part.used.stack_ratio for part in used.values()] == [pytest.approx(0.25), pytest.approx(0.35)]  # of two
    assert [part.above_limit for part in used.values()] == [False, True]


def test_a_study_in_which_a_safe_profile_passed_passes(tmp_path: Path) -> None:
    assert verdict(two_edges(), tmp_path) == ("pass", None, ("Passed and safe: nginx, nginx-pass.",))


def test_one_profile_that_failed_does_not_fail_the_study(tmp_path: Path) -> None:
    study = two_edges()
    study.histories["nginx-pass"] = [failing("nginx-pass")]
    assert verdict(study, tmp_path) == ("pass", None, ("Passed and safe: nginx.",))


def test_when_all_failed_the_study_failed(tmp_path: Path) -> None:
    outcome, cause, reasons = verdict(Study({name: [failing(name)] for name in ("nginx", "varnish")}), tmp_path)
    assert (outcome, cause) == ("fail", "parts")
    assert [reason.partition(":")[0] for reason in reasons] == ["01-nginx failed", "02-varnish failed"]


def test_a_cache_that_leaked_fails_the_study_though_others_passed(tmp_path: Path) -> None:
    study = two_edges()
    study.histories["nginx"] = [leaking("nginx")]
    outcome, cause, reasons = verdict(study, tmp_path)
    assert (outcome, cause) == ("fail", "safety")
    assert reasons[0] == "nginx leaked, though it is expected to be safe: visitor 1 of 200."


def test_a_leak_is_a_leak_however_slow_the_generator_was(tmp_path: Path) -> None:
    study = Study({"nginx": [leaking("nginx")], "nginx-pass": [overloaded("nginx-pass")]})
    assert verdict(study, tmp_path)[:2] == ("fail", "safety")


def test_a_leak_is_a_leak_though_the_study_was_interrupted(tmp_path: Path) -> None:
    study = Study({"nginx": [leaking("nginx")], "nginx-pass": two_edges().histories["nginx-pass"]})
    study.changed = lambda manifest: replace(manifest, interrupted=True, complete=False)
    assert verdict(study, tmp_path)[:2] == ("fail", "safety")


def test_of_several_runs_the_worst_is_the_profiles(tmp_path: Path) -> None:
    histories = [history_of("nginx", ms=20.0, origin_per_s=4), failing("nginx")]
    passing = [history_of("nginx-pass", ms=60.0, origin_per_s=20) for _ in histories]
    comparison = compare(Study({"nginx": histories, "nginx-pass": passing}).write(tmp_path))
    assert comparison.figures("nginx").outcome == "fail"
    assert comparison.recommendation.grounds("failed") == ["nginx"]


def test_a_leak_that_was_written_down_beforehand_keeps_a_profile_out_but_does_not_fail_the_study(
    tmp_path: Path,
) -> None:
    def expects_it(manifest: StudyManifest) -> StudyManifest:
        cached, passing = manifest.profiles
        because = {"deception": ExpectedSafety("leaks", "it is made so")}
        return replace(manifest, profiles=(replace(cached, safety=because), passing))

    study = Study({"nginx": [leaking("nginx", "deception")], "nginx-pass": two_edges().histories["nginx-pass"]})
    study.changed = expects_it
    comparison = compare(study.write(tmp_path))
    assert (comparison.verdict.verdict, comparison.recommendation.profile) == ("pass", "nginx-pass")
    assert comparison.recommendation.grounds("leaked") == ["nginx"]


def test_the_defects_expectation_excuses_no_leak_of_a_sound_shop(tmp_path: Path) -> None:
    def expects_the_defect(manifest: StudyManifest) -> StudyManifest:
        cached, passing = manifest.profiles
        because = {"cart-leak": ExpectedSafety("leaks", "the header on it is believed")}
        return replace(manifest, profiles=(replace(cached, safety=because), passing))

    study = two_edges()
    study.histories["nginx"] = [leaking("nginx")]
    study.changed = expects_the_defect
    assert verdict(study, tmp_path)[:2] == ("fail", "safety")


@pytest.mark.parametrize(
    ("histories", "cause"),
    [({"nginx": [overloaded("nginx")]}, "generator"), ({"nginx": [History(objectives=None)]}, "samples")],
)
def test_a_part_without_a_verdict_leaves_the_study_without_one(
    tmp_path: Path, histories: dict[str, list[History]], cause: str
) -> None:
    found = verdict(Study(histories | {"varnish": [history_of("varnish", ms=20.0, origin_per_s=4)]}), tmp_path)
    assert found[:2] == ("unknown", cause)
    assert found[2][0].startswith("01-nginx has no verdict: ")


def test_a_profile_that_could_not_be_run_leaves_the_study_without_a_verdict_but_not_without_an_answer(
    tmp_path: Path,
) -> None:
    study = two_edges()
    study.problems = {"varnish": "varnishd ended at its start."}
    comparison = compare(study.write(tmp_path))
    assert (comparison.verdict.verdict, comparison.verdict.cause) == ("unknown", "incomplete")
    assert comparison.verdict.reasons == ("03-varnish could not be run: varnishd ended at its start.",)
    assert comparison.recommendation.profile == "nginx"
    assert comparison.recommendation.grounds("not measured") == ["varnish"]


@pytest.mark.parametrize(
    ("change", "cause"),
    [({"interrupted": True, "complete": False}, "interrupted"), ({"complete": False}, "incomplete")],
)
def test_a_study_that_did_not_end_in_order_has_no_verdict(tmp_path: Path, change: dict[str, bool], cause: str) -> None:
    study = two_edges()
    study.changed = lambda manifest: replace(manifest, **change)
    assert verdict(study, tmp_path)[:2] == ("unknown", cause)


def test_a_profile_that_a_killed_study_never_came_to_was_not_run(tmp_path: Path) -> None:
    study = two_edges()
    study.untried = ("varnish",)
    study.changed = lambda manifest: replace(manifest, complete=False)
    comparison = compare(study.write(tmp_path))
    assert comparison.verdict.reasons == ("The study was never closed; 2 of 3 parts were measured.",)
    assert comparison.recommendation.grounds("not run") == ["varnish"]
    assert comparison.recommendation.grounds("not measured") == []


def test_a_leak_of_ones_own_configuration_fails_the_study_though_nothing_was_expected(tmp_path: Path) -> None:
    def expects_nothing(manifest: StudyManifest) -> StudyManifest:
        own, passing = manifest.profiles
        return replace(manifest, profiles=(replace(own, caches=("lonjak-nginx",), safety={}), passing))

    study = Study({"custom": [leaking("custom")], "nginx-pass": two_edges().histories["nginx-pass"]})
    study.changed = expects_nothing
    assert verdict(study, tmp_path) == ("fail", "safety", ("custom leaked: visitor 1 of 200.",))


def test_the_same_files_give_the_same_bytes_and_no_number_is_missing(tmp_path: Path) -> None:
    study = two_edges().write(tmp_path)
    first, second = (documents(study, compare(study)) for _ in range(2))
    assert first == second
    summary = json.loads(first[study.summary])
    assert summary["recommendation"] == {"profile": "nginx", "ruled_out": {"nginx-pass": "slower"}}
    assert summary["profiles"]["nginx"]["cache"]["origin_offload_ratio"] == {"value": 0.8, "low": 0.8, "high": 0.8}
    assert list(summary["parts"]) == ["01-nginx", "02-nginx-pass"]
    assert json.loads(first[study.verdict])["parts"]["02-nginx-pass"]["verdict"] == "pass"


def test_a_manifest_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    study = two_edges().write(tmp_path)
    read = StudyManifest.read(study.manifest)
    read.write(study.manifest)
    assert StudyManifest.read(study.manifest) == read
    assert read.profiles[0] == ComparedProfile(
        "nginx", "what nginx does", ("lonjak-nginx",), (), read.profiles[0].safety
    )


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        ({"schema_version": 2}, "has format version 2; this version reads 1 only"),
        ({"parts": [{"label": "../elsewhere", "profile": "nginx", "round": 1}]}, "lies outside the study"),
        ({"speed": 3}, "unknown keys speed"),
        ({"options": {}}, "is damaged"),
        ({"profiles": 3}, "is damaged"),
    ],
)
def test_a_damaged_manifest_is_refused(tmp_path: Path, damage: dict[str, object], sentence: str) -> None:
    study = two_edges().write(tmp_path)
    study.manifest.write_text(json.dumps(json.loads(study.manifest.read_text()) | damage))
    with pytest.raises(RunDirectoryProblem, match=sentence):
        StudyDirectory.open(study.path)


def test_a_run_is_no_study_and_a_study_is_one(tmp_path: Path) -> None:
    study = two_edges().write(tmp_path)
    manifest = StudyManifest.read(study.manifest)
    assert is_study(study.path)
    assert not is_study(study.part(manifest.parts[0]).path)
    with pytest.raises(RunDirectoryProblem, match="is not a study"):
        StudyDirectory.open(study.part(manifest.parts[0]).path)
