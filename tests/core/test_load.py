import math
import os
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.config import Load, Scenario, foreign_scenario, load_scenario, resolve, to_toml
from loadgen.errors import ConfigProblem


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("LONJAK_")]:
        monkeypatch.delenv(name)


def resolved(load: dict[str, object], **given: str) -> Load:
    return resolve({"load": load}, "mine", {name: (f"--{name}", text) for name, text in given.items()}).load


def refused(load: dict[str, object], **given: str) -> list[str]:
    """What is wrong with a [load] table, without the words that every problem begins with."""
    with pytest.raises(ConfigProblem) as caught:
        resolved(load, **given)
    return [problem.removeprefix("scenario mine: ").removeprefix("[load] ") for problem in caught.value.problems]


def read_again(scenario: Scenario) -> Scenario:
    return resolve(tomllib.loads(to_toml(scenario)), "other", {})


# Bad amounts and times: each refused with its value and the limit.

RATE = "but must be a number from 0.001 to 100000"
DURATION = "but must be a duration from 1 s to 7 days, such as 90s or 2m"
USERS = "but must be a whole number from 1 to 1000000"


@pytest.mark.parametrize(
    ("load", "problem"),
    [
        ({"rate_per_s": 0}, f"rate_per_s is 0, {RATE}"),
        ({"rate_per_s": -2.5}, f"rate_per_s is -2.5, {RATE}"),
        ({"rate_per_s": math.nan}, f"rate_per_s is nan, {RATE}"),
        ({"rate_per_s": math.inf}, f"rate_per_s is inf, {RATE}"),
        ({"rate_per_s": 100_001}, f"rate_per_s is 100001, {RATE}"),
        ({"rate_per_s": 10**400}, f"rate_per_s is {10**400!r:.80}, {RATE}"),
        ({"duration": math.nan}, f"duration is nan, {DURATION}"),
        ({"duration": "nan"}, f"duration is 'nan', {DURATION}"),
        ({"duration": math.inf}, f"duration is inf, {DURATION}"),
        ({"duration": 0}, f"duration is 0, {DURATION}"),
        ({"duration": "8760h"}, f"duration is '8760h', {DURATION}"),
        ({"duration": 10**400}, f"duration is {10**400!r:.80}, {DURATION}"),
        ({"warmup": math.nan}, f"warmup is nan, {DURATION.replace('1 s', '0 s')}"),
        ({"drain": -1}, f"drain is -1, {DURATION.replace('1 s', '0 s')}"),
        ({"model": "closed", "users": 0}, f"users is 0, {USERS}"),
        ({"model": "closed", "users": 1.5}, f"users is 1.5, {USERS}"),
        ({"model": "closed", "users": 1_000_001}, f"users is 1000001, {USERS}"),
        ({"model": "open"}, "model is 'open', but must be one of partly-open, closed, locustfile"),
        ({"arrivals": "uniform"}, "arrivals is 'uniform', but must be one of poisson, constant, trace"),
    ],
)
def test_a_bad_amount_is_refused_with_its_value_and_the_limit(load: dict[str, object], problem: str) -> None:
    assert refused(load) == [problem]


@pytest.mark.parametrize(
    ("flag", "text", "problem"),
    [
        ("rate", "0", f"--rate is '0', {RATE}"),
        ("rate", "nan", f"--rate is 'nan', {RATE}"),
        ("rate", "1e6", f"--rate is '1e6', {RATE}"),
        ("duration", "0s", f"--duration is '0s', {DURATION}"),
        ("duration", "nan", f"--duration is 'nan', {DURATION}"),
        ("seed", "--5", "--seed is '--5', but must be a whole number from 0 to 9223372036854775807"),
        ("seed", "9" * 5000, f"--seed is '{'9' * 79}, but must be a whole number from 0 to 9223372036854775807"),
    ],
)
def test_a_bad_flag_is_refused_like_a_bad_value_in_the_file(flag: str, text: str, problem: str) -> None:
    assert refused({}, **{flag: text}) == [problem]


PROFILE = (
    "but must be pairs [share of the duration, share of the rate or the users from 0 to 1000] "
    "with times ascending from 0 to 1"
)


@pytest.mark.parametrize(
    "profile",
    [
        [],
        [[0, 1]],
        [[0, 1], [0.5, 1]],
        [[0, 1], [0.7, 1], [0.6, 1], [1, 1]],
        [[0, 1], [1, -1]],
        [[0, 1], [1, 1001]],
        [[0, math.nan], [1, 1]],
        [[0, True], [1, 1]],
        "up",
    ],
)
def test_a_profile_that_is_none_is_refused(profile: object) -> None:
    assert refused({"profile": profile}) == [f"profile is {profile!r}, {PROFILE}"]


@pytest.mark.parametrize("model", ["partly-open", "closed"])
@pytest.mark.parametrize("profile", [[[0, 0], [1, 0]], [[0, 0], [0.5, 0], [0.5, 9], [0.5, 0], [1, 0]]])
def test_a_profile_in_which_nobody_ever_comes_is_refused(model: str, profile: object) -> None:
    nobody = "profile is 0 all the time, but somebody must come: raise a share above 0"
    assert refused({"model": model, "profile": profile}) == [nobody]


def test_a_profile_cannot_multiply_a_load_beyond_its_limit() -> None:
    profile = [[0, 1], [1, 1000]]
    assert refused({"rate_per_s": 200, "profile": profile}) == [
        "profile reaches 1000 times 200 sessions per second, but must stay within 100000"
    ]
    assert refused({"model": "closed", "users": 2000, "profile": profile}) == [
        "profile reaches 1000 times 2000 users, but must stay within 1000000"
    ]


def test_a_load_too_small_for_anybody_is_refused() -> None:
    assert refused({"model": "closed", "users": 4, "profile": [[0, 0.1], [1, 0.1]]}) == [
        "profile reaches 0.1 times 4 users, but must reach one user"
    ]
    assert refused({"arrivals": "constant", "rate_per_s": 0.005}) == [
        "rate_per_s is 0.005, but must bring a session within the duration of 60 s: 0.3 are expected"
    ]


def test_a_warm_up_as_long_as_the_run_is_refused_in_the_files_own_times() -> None:
    assert refused({"warmup": "60s"}) == ["warmup is 60 s, but must be shorter than the duration of 60 s"]
    assert refused({"warmup": "60s", "duration": "30s"}, duration="2m") == [
        "warmup is 60 s, but must be shorter than the duration of 30 s, which another duration stretches together"
    ]


def test_a_duration_that_cannot_be_read_does_not_make_the_warm_up_wrong_as_well() -> None:
    assert refused({"duration": math.nan, "warmup": "5m"}) == [f"duration is nan, {DURATION}"]


# Traces.


def test_a_trace_in_the_file_gives_instants_duration_and_mean_rate() -> None:
    load = resolved({"arrivals": "trace", "trace": [0, 0.5, 0.5, 2.25]})
    assert load == Load(arrivals="trace", trace=(0.0, 0.5, 0.5, 2.25), duration_s=3.0, rate_per_s=4 / 3)
    assert not load.has_rate


@pytest.mark.parametrize(("last_s", "duration_s"), [(0.0, 1.0), (0.2, 1.0), (1.0, 2.0), (59.999, 60.0)])
def test_a_trace_lasts_to_the_end_of_the_second_of_its_last_instant(last_s: float, duration_s: float) -> None:
    assert resolved({"arrivals": "trace", "trace": [last_s]}).duration_s == duration_s


def test_another_duration_cuts_a_trace_and_stretches_nothing() -> None:
    table: dict[str, object] = {"arrivals": "trace", "trace": [0, 4, 5, 9.5], "warmup": "2s"}
    shorter = resolved(table, duration="5s")
    assert (shorter.trace, shorter.duration_s, shorter.warmup_s, shorter.rate_per_s) == ((0, 4), 5, 2, 0.4)
    longer = resolved(table, duration="20s")
    assert (longer.trace, longer.duration_s, longer.warmup_s, longer.rate_per_s) == ((0, 4, 5, 9.5), 20, 2, 0.2)


def test_a_run_cut_shorter_than_its_warm_up_or_before_its_first_arrival_is_refused() -> None:
    table: dict[str, object] = {"arrivals": "trace", "trace": [3, 4, 9.5], "warmup": "5s"}
    assert refused(table, duration="2s") == [
        "trace begins at 3 s, but must begin before the duration of 2 s is over",
        "warmup is 5 s, but must be shorter than the duration of 2 s",
    ]


def test_a_fault_after_the_end_of_a_trace_is_refused() -> None:
    table = {"load": {"arrivals": "trace", "trace": [3, 9.5]}, "faults": [{"at_s": 12}]}
    with pytest.raises(ConfigProblem, match=r"\[\[faults\]\] at_s is 12, but must be a number from 0 to 10"):
        resolve(table, "mine", {})


def test_a_trace_file_is_found_beside_the_scenario_and_travels_inside_it(tmp_path: Path) -> None:
    (tmp_path / "evening.txt").write_text("# seconds\n0.25\n\n1.5  # the first order\n1.5\n7\n", encoding="utf-8")
    (tmp_path / "mine.toml").write_text("[load]\narrivals = 'trace'\ntrace = 'evening.txt'\n", encoding="utf-8")
    scenario = load_scenario(str(tmp_path / "mine.toml"))
    assert scenario.load.trace == (0.25, 1.5, 1.5, 7.0)
    (tmp_path / "evening.txt").unlink()
    assert read_again(scenario) == scenario


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("1\nfast\n2\n", ["line 2 is 'fast', but must be a number of seconds from the start"]),
        ("-0.5\n", ["line 1 is -0.5, but must be a number of seconds from 0 to below 604800 (7 days)"]),
        ("1\nnan\n", ["line 2 is nan, but must be a number of seconds from 0 to below 604800 (7 days)"]),
        ("1\ninf\n", ["line 2 is inf, but must be a number of seconds from 0 to below 604800 (7 days)"]),
        ("604800\n", ["line 1 is 604800, but must be a number of seconds from 0 to below 604800 (7 days)"]),
        ("# x\n5\n\n3.5\n6\n", ["line 4 is 3.5, but must not lie before 5.0, which stands before it"]),
        ("5\n3\nx\n", ["line 2 is 3.0, but must not lie before 5.0, which stands before it",
                       "line 3 is 'x', but must be a number of seconds from the start"]),
    ],
)  # fmt: skip
def test_a_wrong_line_of_a_trace_is_named(tmp_path: Path, text: str, problems: list[str]) -> None:
    path = tmp_path / "trace.txt"
    path.write_text(text, encoding="utf-8")
    assert refused({"arrivals": "trace", "trace": str(path)}) == [f"trace {path}: {problem}" for problem in problems]


def test_a_file_of_something_else_is_told_in_a_few_sentences(tmp_path: Path) -> None:
    path = tmp_path / "trace.txt"
    path.write_text("word\n" * 1000, encoding="utf-8")
    told = refused({"arrivals": "trace", "trace": str(path)})
    assert len(told) == 6
    assert told[-1] == f"trace {path}: 995 more of its entries are wrong"


def test_a_trace_that_cannot_be_read_or_is_empty_is_refused_in_one_sentence(tmp_path: Path) -> None:
    empty, picture = tmp_path / "empty.txt", tmp_path / "picture.png"
    empty.write_text("# nobody\n", encoding="utf-8")
    picture.write_bytes(b"\x89PNG\xff\xfe")
    for source, problem in {
        str(tmp_path / "none.txt"): f"trace {tmp_path}/none.txt cannot be read: No such file or directory",
        str(tmp_path): f"trace {tmp_path} is not a file",
        str(empty): f"trace {empty} holds no instants, but must hold at least one",
        str(picture): f"trace '{picture}' cannot be read: it is not text",
    }.items():
        assert refused({"arrivals": "trace", "trace": source}) == [problem]


@pytest.mark.parametrize(
    ("trace", "problem"),
    [
        ([], "trace holds no instants, but must hold at least one"),
        ([0, True], "trace: entry 2 is True, but must be a number of seconds from the start"),
        ([0, [1]], "trace: entry 2 is [1], but must be a number of seconds from the start"),
        (["0 1 0.5"], "trace: entry 1 is 0.5, but must not lie before 1.0, which stands before it"),
        ([10**400], "trace: entry 1 is inf, but must be a number of seconds from 0 to below 604800 (7 days)"),
        (7, "trace is 7, but must be the path of a file or a list of instants in seconds"),
    ],
)
def test_a_wrong_trace_in_the_scenario_is_refused(trace: object, problem: str) -> None:
    assert refused({"arrivals": "trace", "trace": trace}) == [problem]


def test_a_million_instants_are_read_and_one_more_is_refused() -> None:
    million = [" ".join(["1.5"] * 1000)] * 1000
    assert len(resolved({"arrivals": "trace", "trace": million}).trace) == 1_000_000
    assert refused({"arrivals": "trace", "trace": [*million, 2]}) == [
        "trace holds more than 1000000 instants, which is the most there may be"
    ]


def test_problems_of_a_trace_stand_among_all_others() -> None:
    assert refused({"arrivals": "trace", "trace": [2, 1], "seed": -1, "rate_per_s": 5, "profile": [], "users": 3}) == [
        "trace: entry 2 is 1.0, but must not lie before 2.0, which stands before it",
        "rate_per_s is 5, but a trace brings its own instants: "
        "leave the rate out, or choose poisson or constant arrivals",
        "users is 3, but the model partly-open has none: leave it out, or choose the model closed",
        "profile is [], but a trace brings its own instants: leave it out",
        "seed is -1, but must be a whole number from 0 to 9223372036854775807",
    ]


def test_a_rate_beside_a_trace_is_refused() -> None:
    assert refused({"arrivals": "trace", "trace": [1]}, rate="5") == [
        "--rate is '5', but a trace brings its own instants: leave the rate out, or choose poisson or constant arrivals"
    ]


def test_a_trace_and_its_kind_of_arrivals_belong_together() -> None:
    assert refused({"arrivals": "trace"}) == [
        'trace is missing, but arrivals = "trace" needs the path of a file or a list of instants'
    ]
    assert refused({"trace": [1]}) == [
        'trace is [1], but arrivals is "poisson": write arrivals = "trace", or leave the trace out'
    ]


# The closed model.


def test_a_closed_load_has_users_and_no_rate() -> None:
    assert resolved({"model": "closed"}) == Load(model="closed", rate_per_s=0.0, users=10)
    load = resolved({"model": "closed", "users": 3, "profile": [[0, 0], [1, 2]]}, users="8")
    assert (load.users, load.profile, load.has_rate) == (8, ((0.0, 0.0), (1.0, 2.0)), False)


def test_what_belongs_to_arrivals_is_refused_in_the_closed_model() -> None:
    arrivals = "the model closed has no scheduled arrivals: leave it out, or choose partly-open"
    rate = "the closed model has no arrival rate: give users, or choose the model partly-open"
    assert refused({"model": "closed", "rate_per_s": 2, "arrivals": "constant", "trace": [1]}) == [
        f"arrivals is 'constant', but {arrivals}",
        f"trace is [1], but {arrivals}",
        f"rate_per_s is 2, but {rate}",
    ]
    assert refused({"model": "closed"}, rate="2") == [f"--rate is '2', but {rate}"]


def test_users_are_refused_where_sessions_arrive() -> None:
    why = "but the model partly-open has none: leave it out, or choose the model closed"
    assert refused({"users": 3}) == [f"users is 3, {why}"]
    assert refused({}, users="3") == [f"--users is '3', {why}"]


def test_users_come_from_the_environment_like_the_rate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("[load]\nmodel = 'closed'\nusers = 3\n", encoding="utf-8")
    monkeypatch.setenv("LONJAK_USERS", "4")
    assert load_scenario(str(path)).load.users == 4
    assert load_scenario(str(path), {"users": "5"}).load.users == 5
    monkeypatch.setenv("LONJAK_RATE", "4")
    with pytest.raises(ConfigProblem, match="LONJAK_RATE is '4', but the closed model has no arrival rate"):
        load_scenario(str(path))


def test_a_rate_in_the_environment_is_none_of_a_locustfiles_business() -> None:
    scenario = foreign_scenario("theirs", "http://127.0.0.1:1", 30.0, 1)
    overrides = {"rate": ("LONJAK_RATE", "5"), "users": ("LONJAK_USERS", "5")}
    assert resolve(tomllib.loads(to_toml(scenario)), "theirs", overrides) == scenario


# Writing and reading back.


durations = st.floats(1, 600_000) | st.integers(1, 600_000).map(float)
heights = st.lists(st.tuples(st.floats(0, 1), st.floats(0.01, 10)), max_size=4)


@given(
    kind=st.sampled_from(["poisson", "constant", "trace", "closed"]),
    duration_s=durations,
    share=st.floats(0, 0.99),
    inner=heights,
    rate_per_s=st.floats(1, 10_000),
    instants=st.lists(st.floats(0, 0.99), min_size=1),
)
def test_every_load_survives_being_written_and_read(
    *,
    kind: str,
    duration_s: float,
    share: float,
    inner: list[tuple[float, float]],
    rate_per_s: float,
    instants: list[float],
) -> None:
    table: dict[str, object] = {"duration": duration_s, "warmup": duration_s * share}
    profile = [(0, 1), *sorted(inner), (1, 1)]
    table |= {
        "closed": {"model": "closed", "users": int(rate_per_s), "profile": profile},
        "trace": {"arrivals": "trace", "trace": sorted(at * duration_s for at in instants)},
    }.get(kind, {"arrivals": kind, "rate_per_s": rate_per_s, "profile": profile})
    scenario = resolve({"load": table}, "mine", {"duration": ("--duration", "77.7s")} if kind != "trace" else {})
    assert read_again(scenario) == scenario
