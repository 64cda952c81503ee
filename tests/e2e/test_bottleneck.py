"""The tier that was made smaller on purpose is the one that is named, and none where none was.

    LONJAK_BOTTLENECK=all pytest tests/e2e/test_bottleneck.py

throttles every tier in turn; else one run goes without, and is held to the laws besides.
"""

import json
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from loadgen.records import QUEUES_COLUMNS, SESSIONS_COLUMNS, read_rows
from tests.e2e.conftest import Place

ALL = os.environ.get("LONJAK_BOTTLENECK") == "all"
Places = Callable[[], AbstractContextManager[Place]]
# What is throttled, so that it holds less than `CROWD` sessions a second ask of it.
THROTTLED = {
    "shop": ("shop.concurrency=2", "shop.delay-ms=40"),
    "database": ("database.concurrency=2", "database.delay-ms=15"),
    "payment": ("payment.concurrency=1", "payment.delay-ms=4000"),
    "edge": ("edge.concurrency=1",),
}
CROWD, FEW = "8", "2"


def run(places: Places, throttles: tuple[str, ...], rate_per_s: str) -> tuple[dict[str, Any], dict[str, Any], Place]:
    """An evening behind nginx; its summary and verdict."""
    options = [part for throttle in throttles for part in ("--throttle", throttle)]
    with places() as place:
        up = place.run("shop", "up", "--detach", "--port", "0", "--products", "500", "--edge", "nginx", *options)
        assert up.returncode == 0, up.stderr
        ended = place.run("run", "evening", "--no-faults", "--duration", "24s", "--rate", rate_per_s, timeout_s=300)
        assert ended.returncode in (0, 1, 3), ended.stderr
        directory = place.runs[-1]
        return json.loads(directory.summary.read_text()), json.loads(directory.verdict.read_text()), place


@pytest.mark.parametrize("tier", THROTTLED if ALL else [])
def test_the_tier_that_was_made_smaller_is_named(new_place: Places, tier: str) -> None:
    summary, _, _ = run(new_place, THROTTLED[tier], CROWD)
    print(tier, summary["bottleneck"])
    assert summary["bottleneck"]["tier"] == tier
    assert summary["bottleneck"]["evidence"]


def test_a_shop_that_has_enough_has_no_bottleneck_and_keeps_the_laws(new_place: Places) -> None:
    summary, verdict, place = run(new_place, (), FEW)
    print(summary["bottleneck"], summary["laws"], summary["demand"]["doubt"])
    assert summary["bottleneck"]["tier"] is None
    for law in summary["laws"].values():
        assert law["outcome"] == "pass", law
        assert abs(law["difference_ratio"]) < 0.02, law
    assert verdict["cause"] != "generator" or "law" not in verdict["reasons"][0]
    assert summary["demand"]["cpu_ms"]["shop"]["all"]["value"] > 0
    directory = place.runs[-1]
    assert sum(float(row["present_s"]) for row in read_rows(directory.sessions, SESSIONS_COLUMNS)) > 0
    looked = {(row["tier"], row["queue"]) for row in read_rows(directory.queues, QUEUES_COLUMNS)}
    assert {("shop", "places"), ("database", "connections"), ("payment", "charges")} <= looked
    assert "gives out" not in summary["bottleneck"]["sentence"]
