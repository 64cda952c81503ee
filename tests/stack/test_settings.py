from pathlib import Path

import pytest

from reference_shop.edges import PROFILES, EdgeOptions
from reference_shop.protections import PROTECTIONS
from reference_shop.stack.identity import ProcessIdentity
from reference_shop.stack.problems import SettingsProblem
from reference_shop.stack.settings import StackSettings
from reference_shop.throttles import TIERS


def test_all_problems_are_reported_at_once() -> None:
    settings = StackSettings(
        port=70_000,
        edge="akamai",
        workers=0,
        products=0,
        seed=-1,
        payment_latency_ms=-5,
        past_orders=1_000_001,
        changes_per_s=float("nan"),
        without=("moat", "waiting-room"),
        throttles=("shop.cpu=0.5", "shop.gravity=9", "shop.cpu=0.4"),
        defects=("kindness",),
    )
    with pytest.raises(SettingsProblem) as caught:
        settings.check()
    assert caught.value.problems == (
        "port is 70000: it must be between 0 and 65535",
        "workers is 0: it must be between 1 and 64",
        "products is 0: it must be between 1 and 1000000",
        "seed is -1: it must be between 0 and 2147483647",
        "payment-latency-ms is -5: it must be between 0 and 60000",
        "past-orders is 1000001: it must be between 0 and 1000000",
        "changes-per-s is nan: it must be between 0 and 1000",
        f"edge profile 'akamai' is unknown: choose one of {', '.join(PROFILES)}",
        f"protection 'moat' is unknown: choose one of {', '.join(PROTECTIONS)}, all",
        "throttle 'shop.gravity=9': there is no kind 'gravity'; the kinds are concurrency, delay-ms, cpu",
        "throttle shop.cpu is given more than once",
        "defect 'kindness' is unknown: `lonjak shop defects` lists them all",
    )


@pytest.mark.parametrize(
    ("throttle", "changes", "problem"),
    [
        ("edge.cpu=0.5", {}, "throttle edge.cpu needs an edge to slow down, and edge direct is none"),
        ("edge.concurrency=5", {}, "throttle edge.concurrency needs an edge to slow down, and edge direct is none"),
        ("shop.cpu=0.009", {}, "throttle shop.cpu is 0.009: it must be at least 0.01"),
        (
            "database.cpu=0.5",
            {"database_url": "postgresql://127.0.0.1/shop"},
            "throttle database.cpu needs a database of the stack's own: leave --database-url out",
        ),
    ],
)
def test_a_throttle_that_would_throttle_nothing_is_a_problem(
    throttle: str, changes: dict[str, str], problem: str
) -> None:
    (sentence,) = StackSettings(throttles=(throttle,), **changes).problems()  # type: ignore[arg-type]
    assert sentence.startswith(problem)


def test_every_throttle_has_its_place_behind_nginx() -> None:
    every = [f"{tier}.{kind}" for tier in TIERS for kind in ("concurrency=1", "delay-ms=0.5", "cpu=1")]
    assert StackSettings(edge="nginx", throttles=tuple(every)).problems() == []


def test_protections_are_on_unless_they_are_left_out() -> None:
    assert StackSettings().protections == tuple(PROTECTIONS)
    assert set(PROTECTIONS) - set(StackSettings(without=("waiting-room",)).protections) == {"waiting-room"}
    assert StackSettings(without=("all",)).protections == ()


def test_the_value_of_a_throttle_is_found_by_tier_and_kind() -> None:
    settings = StackSettings(throttles=("shop.delay-ms=20", "payment.cpu=0.25"))
    assert (settings.throttle("shop", "delay-ms"), settings.throttle("payment", "delay-ms")) == (20, None)
    assert settings.cpu_shares == {"payment": 0.25}


@pytest.mark.parametrize("url", ["mysql://127.0.0.1/shop", "postgresql://", "postgresql://127.0.0.1:many/shop", ""])
def test_a_database_url_that_cannot_be_one_is_a_problem(url: str) -> None:
    assert len(StackSettings(database_url=url).problems()) == 1


def test_the_processes_may_not_run_as_root() -> None:
    assert StackSettings(run_as="root").problems() == [
        "LONJAK_RUN_AS names 'root', but PostgreSQL refuses to run as root"
    ]


def test_the_processes_need_a_user_that_exists() -> None:
    assert StackSettings(run_as="nobody-at-all").problems() == [
        "LONJAK_RUN_AS names the user 'nobody-at-all', which this machine does not have"
    ]


def test_settings_survive_the_way_to_the_supervisor() -> None:
    settings = StackSettings(
        stack_cpus=(0, 2),
        owner=ProcessIdentity(7, 9),
        database_url="postgresql://a:b@c/d",
        past_orders=7,
        changes_per_s=0.5,
        without=("all",),
        throttles=("shop.cpu=0.5",),
        defects=("kindness",),
        edge="varnish",
        edge_options=EdgeOptions(tls=True, waf=2, rate_limit_per_s=5, origin_rtt_ms=0.5, purge="auto", config="/a.vcl"),
        origin="http://127.0.0.1:1",
    )
    assert StackSettings.from_json(settings.as_json()) == settings


def test_what_an_edge_cannot_do_is_a_problem() -> None:
    options = EdgeOptions(waf=5, rate_limit_per_s=0, origin_rtt_ms=2001, purge="key")
    problems = StackSettings(edge="nginx", edge_options=options).problems()
    assert [problem.split(" ")[0] for problem in problems] == ["waf", "rate-limit", "origin-rtt-ms", "edge"]
    (sentence,) = StackSettings(edge="custom").problems()
    assert "--edge-config" in sentence


@pytest.mark.parametrize(
    ("origin", "problem"),
    [
        ("ftp://127.0.0.1", "origin 'ftp://127.0.0.1' is not an http:// or https:// address"),
        ("http://", "origin 'http://' is not an http:// or https:// address"),
        ("http://127.0.0.1:many", "origin 'http://127.0.0.1:many' is not an http:// or https:// address"),
        ("http://127.0.0.1:8000/shop", "the origin must be a scheme, a host and a port"),
        ("http://me:secret@127.0.0.1:8000", "the origin must be a scheme, a host and a port"),
        ("http://127.0.0.1:8000/?a=b", "the origin must be a scheme, a host and a port"),
    ],
)
def test_an_origin_is_a_host_and_a_port(origin: str, problem: str) -> None:
    (sentence,) = StackSettings(edge="nginx", origin=origin).problems()
    assert sentence.startswith(problem)
    assert "secret" not in sentence


@pytest.mark.parametrize("origin", ["http://127.0.0.1:8000", "http://127.0.0.1/", "https://shop.example"])
def test_an_edge_may_stand_before_any_origin(origin: str) -> None:
    assert StackSettings(edge="nginx", origin=origin).problems() == []


def test_direct_is_no_edge_before_an_origin() -> None:
    (sentence,) = StackSettings(edge="direct", origin="http://127.0.0.1:1").problems()
    assert sentence.startswith("profile direct is no edge: choose one of nginx-pass, ")


@pytest.mark.parametrize("profile", ["varnish", "two-tier", "custom"])
def test_varnish_is_not_put_before_an_origin_that_speaks_tls(profile: str, tmp_path: Path) -> None:
    vcl = tmp_path / "mine.vcl"
    vcl.write_text("vcl 4.1;")
    options = EdgeOptions(config=str(vcl) if profile == "custom" else None)
    assert StackSettings(edge=profile, edge_options=options, origin="http://shop.example").problems() == []
    (sentence,) = StackSettings(edge=profile, edge_options=options, origin="https://shop.example").problems()
    assert sentence.startswith(f"profile {profile} has a Varnish, which cannot speak TLS to an origin")


def test_purges_follow_the_reference_shop_alone() -> None:
    options = EdgeOptions(purge="key")
    (sentence,) = StackSettings(edge="varnish", edge_options=options, origin="http://127.0.0.1:1").problems()
    assert sentence.startswith("purge key needs the reference shop")
    auto = EdgeOptions(purge="auto")
    assert StackSettings(edge="varnish", edge_options=auto).resolved_edge_options.purge == "key"
    foreign = StackSettings(edge="varnish", edge_options=auto, origin="http://127.0.0.1:1")
    assert (foreign.problems(), foreign.resolved_edge_options.purge) == ([], "none")


@pytest.mark.parametrize(
    ("profile", "options", "throttles", "programs"),
    [
        ("direct", EdgeOptions(origin_rtt_ms=5), (), ()),
        ("direct", EdgeOptions(rate_limit_per_s=5), (), ("nginx",)),
        ("nginx", EdgeOptions(tls=True), (), ("nginx", "openssl")),
        ("varnish", EdgeOptions(), (), ("varnish",)),
        ("varnish", EdgeOptions(), ("edge.concurrency=5",), ("varnish", "nginx")),
        ("two-tier", EdgeOptions(waf=1), (), ("nginx", "varnish", "modsecurity")),
    ],
)
def test_an_edge_needs_what_its_profile_and_its_options_need(
    profile: str, options: EdgeOptions, throttles: tuple[str, ...], programs: tuple[str, ...]
) -> None:
    settings = StackSettings(edge=profile, edge_options=options, throttles=throttles)
    assert (settings.edge_programs, settings.has_edge) == (programs, bool(programs))
