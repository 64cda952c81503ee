"""nginx and Varnish accept the configuration of every profile with every option."""

import subprocess
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from reference_shop.edges import PROFILES, EdgeOptions
from reference_shop.edges.certificates import ServerCertificate, make_certificate
from reference_shop.edges.layout import Origin, Site, inner_doors, lay_out
from tests.edges.running import furnish, hand_over, private_folder, require, run_as_user

_ORIGIN = Origin("127.0.0.1", 65000)
_NGINX = ("nginx-pass", "nginx-micro", "nginx", "two-tier", "direct")  # the last one has a front, if anything


@pytest.fixture
def folder() -> Iterator[Path]:
    with private_folder() as path:
        yield path


@pytest.fixture(scope="module")
def certificate() -> Iterator[ServerCertificate]:
    require("openssl")
    with private_folder() as path:
        made = make_certificate(path)
        hand_over(made.key)
        yield made


@pytest.mark.parametrize("profile", _NGINX)
@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize(("rate_limit_per_s", "concurrency"), list(product([None, 20], [None, 100])))
@pytest.mark.parametrize(
    ("origin", "is_shop"),
    [
        (_ORIGIN, True),
        (_ORIGIN, False),
        (Origin("127.0.0.1", 65000, secure=True, host_header="shop.example"), False),
    ],
)
def test_nginx_accepts_every_profile_with_every_option(
    *,
    folder: Path,
    certificate: ServerCertificate,
    profile: str,
    tls: bool,
    rate_limit_per_s: int | None,
    concurrency: int | None,
    origin: Origin,
    is_shop: bool,
) -> None:
    if profile == "two-tier" and origin.secure:
        return  # a Varnish stands there: refused, as another test says
    options = EdgeOptions(tls=tls, rate_limit_per_s=rate_limit_per_s, purge="auto")
    site = _site(profile, options, folder, certificate, origin=origin, is_shop=is_shop, concurrency=concurrency)
    assert _complaints_of_nginx(site) == []


@pytest.mark.parametrize("profile", _NGINX)
@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("others", [False, True])
def test_nginx_accepts_the_firewall_in_every_profile(
    folder: Path, certificate: ServerCertificate, profile: str, tls: bool, others: bool
) -> None:
    require("modsecurity")
    options = EdgeOptions(tls=tls, waf=1, rate_limit_per_s=20 if others else None, purge="auto")
    concurrency = 100 if others else None
    assert _complaints_of_nginx(_site(profile, options, folder, certificate, concurrency=concurrency)) == []


@pytest.mark.parametrize("level", [2, 3, 4])
def test_nginx_accepts_the_higher_levels_of_the_firewall(
    folder: Path, certificate: ServerCertificate, level: int
) -> None:
    require("modsecurity")
    assert _complaints_of_nginx(_site("nginx", EdgeOptions(waf=level), folder, certificate)) == []


@pytest.mark.parametrize("profile", ["varnish", "two-tier"])
@pytest.mark.parametrize(("tls", "is_shop"), [(False, True), (True, True), (False, False)])
def test_varnish_accepts_its_program(
    folder: Path, certificate: ServerCertificate, profile: str, tls: bool, is_shop: bool
) -> None:
    require("varnish")
    host_header = None if is_shop else "shop.example"
    origin = Origin("127.0.0.1", 65000, host_header=host_header)
    options = EdgeOptions(tls=tls, purge="auto")
    site = _site(profile, options, folder, certificate, origin=origin, is_shop=is_shop)
    process = lay_out(site)[0]
    furnish(folder, process)
    program, *arguments = process.command
    arguments.remove("-F")
    trial = run_as_user((program, *arguments[:2], "-C", *arguments[2:]), folder, subprocess.PIPE)
    said, _ = trial.communicate(timeout=30)
    assert trial.returncode == 0, said.decode()[-2000:]


@pytest.mark.parametrize(("rtt_ms", "timeout"), [(None, "1000ms"), (0, "1000ms"), (300, "1600ms"), (2000, "5000ms")])
def test_a_distant_shop_is_not_taken_for_a_dead_one(
    folder: Path, certificate: ServerCertificate, rtt_ms: float | None, timeout: str
) -> None:
    site = _site("varnish", EdgeOptions(origin_rtt_ms=rtt_ms), folder, certificate)
    assert f".timeout = {timeout};" in lay_out(site)[0].files["edge.vcl"]


def test_varnish_before_an_origin_with_tls_is_refused_in_a_sentence(
    folder: Path, certificate: ServerCertificate
) -> None:
    for profile in ("varnish", "two-tier"):
        site = _site(profile, EdgeOptions(), folder, certificate, origin=Origin("127.0.0.1", 443, secure=True))
        with pytest.raises(ValueError, match=r"has a Varnish, which cannot speak TLS to an origin"):
            lay_out(site)


@pytest.mark.parametrize(
    ("profile", "options", "concurrency", "roles"),
    [
        ("direct", EdgeOptions(), None, []),
        ("direct", EdgeOptions(tls=True), None, ["edge-front"]),
        ("nginx-pass", EdgeOptions(tls=True), None, ["edge"]),
        ("nginx", EdgeOptions(waf=1, rate_limit_per_s=5), 10, ["edge"]),
        ("varnish", EdgeOptions(), None, ["edge", "edge-log"]),
        ("varnish", EdgeOptions(), 10, ["edge", "edge-log", "edge-front"]),
        ("varnish", EdgeOptions(rate_limit_per_s=5), None, ["edge", "edge-log", "edge-front"]),
        ("two-tier", EdgeOptions(tls=True), None, ["edge-shield", "shield-log", "edge-pop-1", "edge-pop-2"]),
    ],
)
def test_a_front_stands_only_where_the_profile_lacks_what_was_asked_for(
    *,
    folder: Path,
    certificate: ServerCertificate,
    profile: str,
    options: EdgeOptions,
    concurrency: int | None,
    roles: list[str],
) -> None:
    processes = lay_out(_site(profile, options, folder, certificate, concurrency=concurrency))
    assert [process.role for process in processes] == roles
    tiers = {"edge-front": "front", "edge-shield": "shield", "shield-log": "shield"}
    assert [process.tier for process in processes] == [tiers.get(role, "edge") for role in roles]


def _site(
    profile: str,
    options: EdgeOptions,
    folder: Path,
    certificate: ServerCertificate,
    *,
    origin: Origin = _ORIGIN,
    is_shop: bool = True,
    concurrency: int | None = None,
) -> Site:
    chosen = PROFILES[profile]
    return Site(
        profile=chosen,
        options=options,
        origin=origin,
        public_ports=(65001, 65002),
        inner_ports={name: 65010 + number for number, name in enumerate(inner_doors(chosen, options))},
        folder=folder,
        worker_count=2,
        concurrency=concurrency,
        is_shop=is_shop,
        certificate=certificate,
    )


def _complaints_of_nginx(site: Site) -> list[str]:
    """What nginx says of each of its configurations, notices left out; exit codes are complaints too."""
    complaints = []
    for process in lay_out(site):
        if "nginx" in process.command[0]:
            furnish(site.folder, process)
            trial = run_as_user((*process.command, "-t"), site.folder, subprocess.PIPE)
            said, _ = trial.communicate(timeout=20)
            complaints += [line for line in said.decode().splitlines() if "[" in line and "[notice]" not in line]
            complaints += [] if trial.returncode == 0 else [f"{process.role} ended with {trial.returncode}"]
    return complaints
