"""Runs that their rules give up: a real server that breaks, real Locust processes that end in order."""

import json
import subprocess
import sys

import pytest

from loadgen.manifest import Manifest
from loadgen.records import Event
from loadgen.rundir import RunDirectory
from tests.engine.scripted_shop import ScriptedShop, eventually
from tests.engine.test_nothing_is_lost import ANALYSE
from tests.engine.test_runs import (
    LIMIT_S,
    Locust,
    events,
    funnel,
    locust,
    only_run,
    requests_by_kind,
    scenario,
    wait_for_events,
)

__all__ = ["locust"]
RULE = '[stop_when]\nfailed_ratio = "> 0.5 for 3s"\n'
TEAMS = pytest.mark.parametrize("team", [(), ("--processes", "2")], ids=["alone", "two workers"])


def broken_run(locust: Locust, shop: ScriptedShop, more: str, *team: str) -> RunDirectory:
    """A run of a minute whose shop breaks on the way; it must end long before, by itself."""
    process = locust.start("--host", shop.url, "--scenario", scenario(locust.folder, 60.0, more), *team)
    wait_for_events(locust, "phase")
    eventually(lambda: shop.count > 20, LIMIT_S)
    shop.broken = True
    assert process.wait(LIMIT_S) == 1, locust.stderr
    assert "Traceback" not in locust.stderr
    return only_run(locust.folder)


def verdict(run: RunDirectory) -> dict[str, object]:
    subprocess.run([sys.executable, "-c", ANALYSE, str(run.path)], check=True)
    document = json.loads(run.verdict.read_text())
    assert isinstance(document, dict)
    return document


def only_stop(run: RunDirectory) -> Event:
    [stop] = events(run, "stop_rule_met")
    assert [event.detail["reason"] for event in events(run, "run_stopped")] == ["stop rule"]
    return stop


def assert_stopped(told: dict[str, object], stop: Event) -> None:
    """The run failed for that reason; a machine too busy for its generator has no verdict, but says it all the same."""
    assert stop.detail["sentence"] in told["reasons"]  # type: ignore[operator]
    assert (told["verdict"], told["cause"]) in (("fail", "stopped"), ("unknown", "generator"))


@TEAMS
def test_a_hopeless_run_ends_in_order_and_fails_for_that_reason(
    locust: Locust, shop: ScriptedShop, team: tuple[str, ...]
) -> None:
    run = broken_run(locust, shop, RULE, *team)
    stop = only_stop(run)
    assert (stop.detail["rule"], stop.detail["value"]) == ("failed_ratio > 0.5 for 3s", pytest.approx(0.75, abs=0.25))
    manifest, sums = Manifest.read(run.manifest), funnel(run)
    assert (manifest.complete, manifest.interrupted) == (True, False)
    assert sum(requests_by_kind(run).values()) == shop.count
    assert sums["arrived_count"] == sums["finished_count"] + sums["cut_count"]
    told = verdict(run)
    assert_stopped(told, stop)
    assert told["stopped_early"] == {**stop.detail, "value": pytest.approx(stop.detail["value"], abs=1e-6)}


def test_a_window_that_was_missed_ends_a_run_that_asks_for_it(locust: Locust, shop: ScriptedShop) -> None:
    more = '[objectives.window."2s"]\nfailed_ratio = "< 0.9"\n[stop_when]\nobjective_out_of_reach = true\n'
    run = broken_run(locust, shop, more)
    stop = only_stop(run)
    assert stop.detail["rule"] == "objective_out_of_reach"
    assert str(stop.detail["sentence"]).endswith(": failed_ratio < 0.9 in every 2s cannot be met any more.")
    told = verdict(run)
    assert_stopped(told, stop)
    [worst] = [one for one in told["objectives"] if one["at_s"] is not None]  # type: ignore[attr-defined]
    assert (worst["objective"], worst["outcome"]) == ("failed_ratio < 0.9 in every 2s", "fail")
    assert worst["value"] >= 0.9


def test_a_run_that_its_rules_leave_alone_goes_on_to_its_end(locust: Locust, shop: ScriptedShop) -> None:
    more = RULE + "objective_out_of_reach = true\n"
    assert locust.run("--host", shop.url, "--scenario", scenario(locust.folder, 4.0, more)) == 0, locust.stderr
    run = only_run(locust.folder)
    assert events(run, "stop_rule_met", "warning") == []
    assert [event.detail["reason"] for event in events(run, "run_stopped")] == ["planned end"]
    assert verdict(run)["stopped_early"] is None


def test_a_phase_is_judged_live_from_the_control_line_that_begins_it(locust: Locust, shop: ScriptedShop) -> None:
    more = '[objectives.phase.peak]\nfailed_ratio = "< 0.9"\n[stop_when]\nobjective_out_of_reach = true\n'
    process = locust.start("--host", shop.url, "--scenario", scenario(locust.folder, 60.0, more))
    run = wait_for_events(locust, "phase")
    with run.control.open("a") as control:
        control.write('{"phase": "peak"}\n')
    wait_for_events(locust, "phase", "peak")
    shop.broken = True
    wait_for_events(locust, "objective_broken", "in phase peak")
    with run.control.open("a") as control:
        control.write('{"phase": "after"}\n')
    assert process.wait(LIMIT_S) == 1, locust.stderr
    sentence = str(only_stop(run).detail["sentence"])
    assert sentence.endswith(": failed_ratio < 0.9 in phase peak cannot be met any more.")
