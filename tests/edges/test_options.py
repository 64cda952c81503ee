"""Profiles, options and programs: what goes together, and what is said when it does not."""

from pathlib import Path

import pytest

from reference_shop.edges import PROFILES, EdgeOptions, programs
from reference_shop.edges.options import caches, public_doors, resolve_purge
from reference_shop.edges.programs import find, install_command, missing, needed


def test_the_profiles() -> None:
    table = {
        name: (profile.programs, profile.caches, profile.doors, profile.purges) for name, profile in PROFILES.items()
    }
    assert table == {
        "direct": ((), (), 0, ()),
        "nginx-pass": (("nginx",), (), 1, ()),
        "nginx-micro": (("nginx",), ("lonjak-nginx",), 1, ("url",)),
        "nginx": (("nginx",), ("lonjak-nginx",), 1, ("url",)),
        "varnish": (("varnish",), ("lonjak-varnish",), 1, ("url", "key")),
        "two-tier": (("nginx", "varnish"), ("lonjak-shield", "lonjak-pop-1", "lonjak-pop-2"), 2, ("url", "key")),
        "custom": ((), ("lonjak-nginx",), 1, ()),
    }


def test_every_profile_of_ours_says_how_safe_it_is_and_why() -> None:
    answers = {
        name: tuple(profile.safety[probe].answer for probe in ("cart-leak", "poisoning", "deception"))
        for name, profile in PROFILES.items()
        if name != "custom"
    }
    assert answers == {
        "direct": ("safe", "safe", "safe"),
        "nginx-pass": ("safe", "safe", "safe"),
        "nginx-micro": ("leaks", "safe", "safe"),
        "nginx": ("leaks", "safe", "safe"),
        "varnish": ("safe", "safe", "safe"),
        "two-tier": ("safe", "safe", "safe"),
    }
    assert all(expected.because for profile in PROFILES.values() for expected in profile.safety.values())


@pytest.mark.parametrize(
    ("options", "sentences"),
    [
        (EdgeOptions(tls=True, waf=4, rate_limit_per_s=1, origin_rtt_ms=0, purge="url"), []),
        (EdgeOptions(waf=5), ["waf is 5: it must be a paranoia level from 1 to 4"]),
        (EdgeOptions(rate_limit_per_s=0), ["rate-limit is 0: it must be between 1 and 100000 a second"]),
        (EdgeOptions(origin_rtt_ms=2000.5), ["origin-rtt-ms is 2000.5: it must be between 0 and 2000"]),
        (EdgeOptions(purge="all"), ["purge 'all' is unknown: choose one of none, url, key, auto"]),
        (
            EdgeOptions(purge="key"),
            ["edge profile nginx cannot purge by key: choose one of none, url with --purge"],
        ),
        (
            EdgeOptions(waf=-1, purge="key"),
            [
                "waf is -1: it must be a paranoia level from 1 to 4",
                "edge profile nginx cannot purge by key: choose one of none, url with --purge",
            ],
        ),
    ],
)
def test_everything_that_is_wrong_is_said_at_once(options: EdgeOptions, sentences: list[str]) -> None:
    assert options.problems(PROFILES["nginx"]) == sentences


def test_a_profile_that_cannot_purge_at_all_says_so() -> None:
    said = EdgeOptions(purge="url").problems(PROFILES["nginx-pass"])
    assert said == ["edge profile nginx-pass cannot purge: leave --purge out"]


def test_auto_purges_by_key_where_the_profile_can_else_by_url_else_not_at_all() -> None:
    chosen = {name: resolve_purge("auto", profile) for name, profile in PROFILES.items()}
    assert chosen == {
        "direct": "none",
        "nginx-pass": "none",
        "nginx-micro": "url",
        "nginx": "url",
        "varnish": "key",
        "two-tier": "key",
        "custom": "none",
    }
    assert resolve_purge("none", PROFILES["varnish"]) == "none"


@pytest.mark.parametrize(
    ("profile", "options", "names"),
    [
        ("direct", EdgeOptions(), ()),
        ("direct", EdgeOptions(tls=True), ("nginx", "openssl")),
        ("nginx", EdgeOptions(), ("nginx",)),
        ("nginx", EdgeOptions(waf=2), ("nginx", "modsecurity")),
        ("varnish", EdgeOptions(), ("varnish",)),
        ("varnish", EdgeOptions(rate_limit_per_s=9), ("varnish", "nginx")),
        ("two-tier", EdgeOptions(tls=True), ("nginx", "varnish", "openssl")),
        ("custom", EdgeOptions(config="a.vcl"), ("varnish",)),
        ("custom", EdgeOptions(config="a.conf"), ("nginx",)),
    ],
)
def test_options_need_programs_of_their_own(profile: str, options: EdgeOptions, names: tuple[str, ...]) -> None:
    assert needed(PROFILES[profile], options) == names


def test_one_command_installs_all_that_is_missing() -> None:
    assert install_command(["nginx", "varnish", "modsecurity"]) == (
        "apt-get install -y --no-install-recommends nginx varnish varnish-modules libnginx-mod-http-modsecurity "
        "modsecurity-crs"
    )


def test_a_program_without_a_file_that_it_needs_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "lib-1").mkdir()
    (tmp_path / "lib-1" / "part.so").touch()
    for pattern, expected in (("lib-*/part.so", ()), ("lib-*/other.so", ("tool",)), ("nothing", ("tool",))):
        tool = programs.EdgeProgram("tool", "sh", ("tool",), (tmp_path / pattern,))
        monkeypatch.setattr(programs, "PROGRAMS", {"tool": tool})
        assert missing(["tool"]) == expected
    monkeypatch.setattr(programs, "PROGRAMS", {"tool": programs.EdgeProgram("tool", "no-such-tool", ("tool",))})
    assert find("tool") is None


def test_a_front_opens_a_door_where_the_profile_has_none() -> None:
    assert public_doors(PROFILES["direct"], EdgeOptions()) == 0
    assert public_doors(PROFILES["direct"], EdgeOptions(waf=1)) == 1
    assert public_doors(PROFILES["direct"], EdgeOptions(), concurrency=4) == 1
    assert public_doors(PROFILES["two-tier"], EdgeOptions(tls=True)) == 2


def test_a_users_varnish_is_called_one() -> None:
    assert caches(PROFILES["custom"], EdgeOptions(config="mine.vcl")) == ("lonjak-varnish",)
    assert caches(PROFILES["custom"], EdgeOptions(config="mine.conf")) == ("lonjak-nginx",)
    assert caches(PROFILES["two-tier"], EdgeOptions()) == PROFILES["two-tier"].caches
