"""How a verdict comes about, also from what is left of a run that was killed."""

import gzip
from dataclasses import replace

import pytest

from analysis.run import analyse, documents
from loadgen.errors import RunDirectoryProblem
from loadgen.records import FUNNEL_COLUMNS
from tests.recorded_run import ordinary


def verdict(history, tmp_path):
    return analyse(history.write(tmp_path)).verdict


def test_everything_held_is_a_pass(tmp_path):
    found = verdict(ordinary(), tmp_path)
    assert (found.verdict, found.cause, found.reasons) == ("pass", None, ("Every objective held.",))


def test_a_missed_objective_is_a_fail_with_its_value(tmp_path):
    history = ordinary()
    history.outage(20, 30)
    found = verdict(history, tmp_path)
    assert (found.verdict, found.cause) == ("fail", "objectives")
    assert found.reasons == ("failed_ratio is 0.25, not < 0.01.",)
    assert [decision.outcome for decision in found.decisions] == ["fail", "pass"]


def test_an_objective_on_what_never_occurred_is_unknown(tmp_path):
    history = ordinary()
    history.objectives = '[objectives]\nresponse_time_ms.checkout.p95 = "< 500"\n'
    found = verdict(history, tmp_path)
    assert (found.verdict, found.cause) == ("unknown", "samples")


def test_a_miss_outweighs_a_doubt(tmp_path):
    history = ordinary()
    history.objectives += 'response_time_ms.checkout.p95 = "< 500"\n'
    history.outage(20, 30)
    found = verdict(history, tmp_path)
    assert found.verdict == "fail"
    assert len(found.reasons) == 2


ADD = "add generators: this needs about 2 (--generators 2)"
LEAVE = "its processor was busy with something else: leave it to the generator"


@pytest.mark.parametrize(("symptom", "remedy"), [("loop_lag_ms", LEAVE), ("schedule_lag_ms", LEAVE), ("cpu", ADD)])
def test_a_generator_that_could_not_keep_up_leaves_no_verdict(tmp_path, symptom, remedy):
    history = ordinary()
    history.outage(20, 30)
    for second in range(20, 25):
        if symptom == "cpu":
            history.tiers += [
                {"elapsed_s": second, "tier": "generator", "role": "worker-1", "pid": 1, "cpu_ratio": 0.95}
            ]
        else:
            getattr(history, symptom)[second] = 150.0
    analysis = analyse(history.write(tmp_path))
    assert analysis.health.valid_ratio == 35 / 40
    assert (analysis.verdict.verdict, analysis.verdict.cause) == ("unknown", "generator")
    assert remedy in analysis.verdict.reasons[0]


def test_a_few_bad_seconds_of_the_generator_are_told_and_borne(tmp_path):
    history = ordinary()
    history.loop_lag_ms[20] = 150.0
    history.loop_lag_ms[5] = 150.0  # warm-up: not judged
    analysis = analyse(history.write(tmp_path))
    assert analysis.health.valid_ratio == 39 / 40
    assert analysis.verdict.verdict == "pass"
    assert "in 1 of 40 seconds" in analysis.health.sentence


def test_seconds_after_a_worker_was_lost_are_invalid(tmp_path):
    history = ordinary()
    history.event(30.5, "worker_lost", worker="worker-1")
    analysis = analyse(history.write(tmp_path))
    assert analysis.health.valid_ratio == 0.5
    assert analysis.verdict.cause == "generator"


def test_one_lost_worker_is_enough_for_no_verdict(tmp_path):
    history = ordinary()
    history.event(
        55.0, "worker_lost", worker="worker-1", handed_in_s=52
    )  # while sessions left: no steady second is bad
    analysis = analyse(history.write(tmp_path))
    assert analysis.health.valid_ratio == 1.0
    assert (analysis.verdict.verdict, analysis.verdict.cause) == ("unknown", "generator")
    assert "1 of 1 workers was lost" in analysis.verdict.reasons[0]


def test_a_worker_lost_to_too_much_work_calls_for_more_generators(tmp_path):
    history = ordinary()
    history.event(55.0, "worker_lost", worker="worker-1", handed_in_s=52)
    history.tiers.append({"elapsed_s": 30, "tier": "generator", "role": "worker-1", "pid": 1, "cpu_ratio": 0.95})
    reason = analyse(history.write(tmp_path)).verdict.reasons[0]
    assert "see in the generator's log why it ended" in reason
    assert ADD in reason


def test_a_lost_workers_seconds_are_invalid_from_the_last_that_it_handed_in(tmp_path):
    history = ordinary()
    history.event(34.2, "worker_lost", worker="worker-1", handed_in_s=30)
    assert analyse(history.write(tmp_path)).health.invalid_by_second == tuple(range(30, 50))


def test_a_worker_that_came_back_has_lost_nothing_but_time(tmp_path):
    history = ordinary()
    history.event(23.0, "worker_lost", worker="worker-1", handed_in_s=20)
    history.event(23.5, "worker_returned", worker="worker-1")
    health = analyse(history.write(tmp_path)).health
    assert (health.invalid_by_second, health.lost_count, health.sufficient) == ((20, 21, 22, 23), 0, True)


def test_a_loop_that_stood_still_makes_the_seconds_invalid_in_which_it_stood(tmp_path):
    history = ordinary()
    history.loop_lag_ms[24] = 4200.0
    assert analyse(history.write(tmp_path)).health.invalid_by_second == (20, 21, 22, 23, 24)


@pytest.mark.parametrize(("lag_s", "count"), [(0, 2), (20, 4), (30, 7)])
def test_more_generators_are_needed_the_later_sessions_began(tmp_path, lag_s, count):
    history = ordinary()  # 40 s steady: one that is 20 s late did half of what it was to do
    for second in range(20, 30):
        history.schedule_lag_ms[second] = lag_s * 1000.0
        history.tiers += [{"elapsed_s": second, "tier": "generator", "role": "worker-1", "pid": 1, "cpu_ratio": 1.0}]
    assert f"(--generators {count})" in analyse(history.write(tmp_path)).health.sentence


def test_a_loop_that_stood_still_wanted_more_than_others_left_to_it(tmp_path):
    history = ordinary()
    for second in range(10, 50):
        history.loop_lag_ms[second] = 150.0
        history.schedule_lag_ms[second] = 20_000.0
    history.tiers.append({"elapsed_s": 20, "tier": "generator", "role": "worker-1", "pid": 1, "cpu_ratio": 0.65})
    assert "(--generators 4)" in analyse(history.write(tmp_path)).health.sentence


def test_a_generator_that_said_nothing_about_itself_proves_nothing(tmp_path):
    history = ordinary()
    history.loop_lag_ms.clear()
    history.tiers.clear()
    assert verdict(history, tmp_path).cause == "generator"


def test_an_interrupted_run_has_no_verdict_but_its_figures(tmp_path):
    history = ordinary()
    history.manifest = replace(history.manifest, complete=False, interrupted=True)
    analysis = analyse(history.write(tmp_path))
    assert (analysis.verdict.verdict, analysis.verdict.cause) == ("unknown", "interrupted")
    assert analysis.summary["requests"]["count"] == 1200


def test_a_refused_target_comes_first(tmp_path):
    history = ordinary()
    history.manifest = replace(history.manifest, interrupted=True)
    history.event(1.0, "target_refused", host="example.org")
    found = verdict(history, tmp_path)
    assert (found.cause, found.reasons[0]) == ("target_refused", "The target was refused: example.org.")


def test_a_run_without_requests_has_no_verdict(tmp_path):
    history = ordinary()
    history.ok_ms.clear()
    found = verdict(history, tmp_path)
    assert (found.verdict, found.cause, found.reasons[0]) == ("unknown", "samples", "No request was recorded.")


def test_a_run_that_ended_in_its_warm_up_has_no_verdict(tmp_path):
    history = ordinary()
    history.event(8.0, "arrivals_ended")
    found = verdict(history, tmp_path)
    assert (found.verdict, found.cause) == ("unknown", "samples")


def test_what_a_killed_run_left_is_analysed_without_its_torn_ends(tmp_path):
    history = ordinary()
    history.manifest = replace(history.manifest, ended_at=None, complete=False)
    run = history.write(tmp_path)
    packed = run.hlog.with_name("latency.hlog.gz")
    run.hlog.write_bytes(gzip.decompress(packed.read_bytes())[:-30])
    packed.unlink()
    for path in (run.counters, run.tiers, run.funnel, run.ledger):
        path.write_bytes(path.read_bytes()[:-3])
    run.truth.unlink()
    analysis = analyse(run)
    assert (analysis.verdict.verdict, analysis.verdict.cause) == ("unknown", "incomplete")
    assert analysis.summary["requests"]["count"] == 59 * 20


def test_a_run_of_a_manifest_alone_is_analysed(tmp_path):
    history = ordinary()
    history.manifest = replace(history.manifest, ended_at=None, complete=False)
    run = history.write(tmp_path)
    for path in run.path.iterdir():
        if path != run.manifest:
            path.unlink()
    run.replace(documents(run, analysis := analyse(run)))
    assert analysis.verdict.cause == "incomplete"
    assert analysis.summary["run"]["duration_s"] == 0


def test_damage_in_the_middle_is_one_sentence_and_writes_nothing(tmp_path):
    run = ordinary().write(tmp_path)
    lines = run.counters.read_text().splitlines(keepends=True)
    run.counters.write_text("".join([*lines[:5], "1,product,many\n", *lines[5:]]))
    with pytest.raises(RunDirectoryProblem, match=r"counters\.csv is damaged at line 6"):
        analyse(run)
    assert not run.summary.exists()


def test_sessions_that_never_began_leave_no_verdict(tmp_path):
    run = ordinary().write(tmp_path)
    row = {**dict.fromkeys(FUNNEL_COLUMNS, "0"), "elapsed_s": "20", "segment": "web", "dropped_count": "500"}
    with run.funnel.open("a") as file:
        file.write(",".join(row.values()) + "\n")
    verdict = analyse(run).verdict
    assert (verdict.verdict, verdict.cause) == ("unknown", "generator")
    assert "sessions that were due never began" in verdict.reasons[0]
