"""Which profile is recommended: the rule, step by step."""

import pytest

from analysis.bootstrap import NOTHING, Estimate
from analysis.recommendation import Candidate, Ground, Recommendation, RuledOut, recommend


def near(value: float, width: float = 1.0) -> Estimate:
    return Estimate(value, value - width, value + width)


def candidate(
    name: str, *, p95_ms: float = 50.0, offload: float = 0.5, outcome: str | None = "pass", alarms: int = 0
) -> Candidate:
    return Candidate(name, alarms, outcome, near(p95_ms), near(offload, 0.01))


def outcome(recommendation: Recommendation) -> tuple[str | None, dict[str, Ground]]:
    return recommendation.profile, {ruled.name: ruled.ground for ruled in recommendation.ruled_out}


def test_the_fastest_is_recommended() -> None:
    found = recommend([candidate("direct", p95_ms=60), candidate("nginx", p95_ms=20), candidate("varnish", p95_ms=30)])
    assert outcome(found) == ("nginx", {"direct": "slower", "varnish": "slower"})


def test_a_difference_counts_only_where_intervals_do_not_meet() -> None:
    found = recommend([candidate("nginx", p95_ms=21.5), candidate("varnish", p95_ms=20)])
    assert outcome(found) == ("nginx", {"varnish": "less simple"})


def test_of_those_equally_fast_the_one_that_spares_the_shop_most_is_recommended() -> None:
    found = recommend([candidate("nginx", offload=0.6), candidate("two-tier", offload=0.7)])
    assert outcome(found) == ("two-tier", {"nginx": "spares less"})


def test_speed_comes_before_what_the_shop_is_spared() -> None:
    found = recommend([candidate("nginx", p95_ms=20, offload=0.5), candidate("varnish", p95_ms=40, offload=0.9)])
    assert outcome(found) == ("nginx", {"varnish": "slower"})


def test_who_leaked_is_never_recommended_however_fast() -> None:
    found = recommend([candidate("nginx", p95_ms=1, offload=0.99, alarms=1), candidate("direct")])
    assert outcome(found) == ("direct", {"nginx": "leaked"})


@pytest.mark.parametrize(
    ("outcome_of", "ground"), [("fail", "failed"), ("unknown", "no verdict"), (None, "not measured")]
)
def test_who_did_not_pass_is_out(outcome_of: str | None, ground: Ground) -> None:
    found = recommend([candidate("varnish", p95_ms=1, outcome=outcome_of), candidate("direct")])
    assert outcome(found) == ("direct", {"varnish": ground})


def test_who_was_never_tried_is_told_apart_from_who_could_not_be_run() -> None:
    untried = Candidate("nginx", 0, None, NOTHING, NOTHING, tried=False)
    found = recommend([candidate("varnish", outcome=None), untried, candidate("direct")])
    assert outcome(found) == ("direct", {"varnish": "not measured", "nginx": "not run"})


def test_when_nobody_is_left_nothing_is_recommended_and_the_grounds_are_told() -> None:
    found = recommend([candidate("nginx", alarms=3), candidate("direct", outcome="fail")])
    assert found == Recommendation(None, (RuledOut("nginx", "leaked"), RuledOut("direct", "failed")))


def test_the_first_ground_is_the_one_that_is_told() -> None:
    found = recommend([candidate("nginx", alarms=3, outcome="fail", p95_ms=99), candidate("direct")])
    assert outcome(found) == ("direct", {"nginx": "leaked"})


def test_of_those_not_told_apart_the_simplest_is_taken_whatever_their_order() -> None:
    names = ["two-tier", "varnish", "custom", "nginx", "nginx-micro", "nginx-pass", "direct"]
    for given in (names, names[::-1]):
        found = recommend([candidate(name) for name in given])
        assert found.profile == "direct"
        assert [ruled.name for ruled in found.ruled_out] == [
            "nginx-pass", "nginx-micro", "nginx", "varnish", "two-tier", "custom",
        ]  # fmt: skip


def test_who_has_no_interval_is_told_apart_from_nobody() -> None:
    bare = Candidate("nginx", 0, "pass", Estimate(500.0), NOTHING)
    assert outcome(recommend([bare, candidate("varnish", p95_ms=20)])) == ("nginx", {"varnish": "less simple"})


def test_without_any_figure_the_simplest_is_taken() -> None:
    found = recommend([Candidate(name, 0, "pass", NOTHING, NOTHING) for name in ("varnish", "nginx")])
    assert outcome(found) == ("nginx", {"varnish": "less simple"})
