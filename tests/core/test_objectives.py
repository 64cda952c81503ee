import pytest

from loadgen.objectives import Objective, decide, parse_objectives

FIGURES = {
    "response_time_ms": {"all": {"count": 100, "p95": 120.0, "p99": 300.0}, "checkout": {"count": 19, "p95": 90.0}},
    "failed_ratio": {"all": 0.02, "product": 0.0},
    "cache": {"request_hit_ratio": None},
}


def test_objectives_are_paths_and_limits() -> None:
    table = {"response_time_ms": {"checkout": {"p95": "< 500"}}, "failed_ratio": "<= 0.01"}
    objectives, problems = parse_objectives(table)
    assert [str(objective) for objective in objectives] == [
        "response_time_ms.checkout.p95 < 500",
        "failed_ratio <= 0.01",
    ]
    assert problems == []


def test_a_path_may_be_one_quoted_key() -> None:
    objectives, _ = parse_objectives({"response_time_ms.all.p99": "< 800"})
    assert objectives == (Objective(("response_time_ms", "all", "p99"), "<", 800.0),)


def test_every_problem_is_reported_at_once() -> None:
    _, problems = parse_objectives({"tps": "> 5", "failed_ratio": "few", "response_time_ms": {"all": {"p42": "< 1"}}})
    assert len(problems) == 3
    assert problems[0].startswith("objective tps is unknown; known: response_time_ms")
    assert problems[1] == 'objective failed_ratio: \'few\' is not a limit; write "< 500" or ">= 0.7"'


@pytest.mark.parametrize(
    ("path", "known"),
    [
        ("cache.by_cache.lonjak-shield.product.request_hit_ratio", True),
        ("cache.by_cache.lonjak-shield.all.byte_hit_ratio", True),
        ("cache.origin.offload_ratio", True),
        ("safety.alarm_count", True),
        ("cache.by_cache.lonjak-shield.request_hit_ratio", False),
        ("cache.by_cache.lonjak-shield.product.hit_count", False),
        ("cache.origin.client_count", False),
    ],
)
def test_of_caches_and_checks_objectives_name_ratios_and_alarms(path: str, known: bool) -> None:
    assert bool(parse_objectives({path: "> 0.5"})[0]) is known


def test_what_is_known_after_the_run_only_is_undecided_while_it_runs() -> None:
    for name in ("cache.origin.offload_ratio", "safety.alarm_count"):
        assert decide(Objective(tuple(name.split(".")), ">", 0.5), FIGURES).outcome == "unknown"


@pytest.mark.parametrize("limit", ["< nan", "< inf", "500", "== 5", 500])
def test_a_limit_is_a_comparison_with_a_finite_number(limit: object) -> None:
    assert len(parse_objectives({"failed_ratio": limit})[1]) == 1


@pytest.mark.parametrize(
    ("path", "comparator", "limit", "outcome"),
    [
        ("response_time_ms.all.p95", "<", 121, "pass"),
        ("response_time_ms.all.p95", "<", 120, "fail"),
        ("response_time_ms.all.p95", "<=", 120, "pass"),
        ("failed_ratio", "<", 0.01, "fail"),
        ("failed_ratio.product", "<", 0.01, "pass"),
    ],
)
def test_a_figure_is_held_against_its_limit(path: str, comparator: str, limit: float, outcome: str) -> None:
    assert decide(Objective(tuple(path.split(".")), comparator, limit), FIGURES).outcome == outcome


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("response_time_ms.checkout.p95", "too few samples, 1 more are needed"),
        ("response_time_ms.search.p95", "nothing was measured"),
        ("cache.request_hit_ratio", "nothing was measured"),
    ],
)
def test_what_was_not_measured_enough_is_unknown(path: str, reason: str) -> None:
    decision = decide(Objective(tuple(path.split(".")), "<", 500), FIGURES)
    assert decision.outcome == "unknown"
    assert reason in decision.reason
