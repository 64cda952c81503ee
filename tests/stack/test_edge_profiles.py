"""Every edge profile before the real shop: it serves, says what it is, and reads its configuration again."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from loadgen.stack import read_stack
from reference_shop.edges import EdgeOptions, programs
from reference_shop.stack import client
from reference_shop.stack.document import ProcessRecord, StackDocument
from reference_shop.stack.folder import STATE_VARIABLE
from tests.stack.conftest import eventually, port_of, silent, small, stack_in

SHOP = ["database", "payment", "shop-1"]
PAGES = {"/": "home", "/product/1": "product", "/cart": "cart"}
CUSTOM = """
daemon off;
pid nginx.pid;
events {}
http {
    client_body_temp_path temp-body;
    proxy_temp_path temp-proxy;
    fastcgi_temp_path temp-fastcgi;
    uwsgi_temp_path temp-uwsgi;
    scgi_temp_path temp-scgi;
    access_log off;
    server {
        listen 127.0.0.1:{{ port }};
        location / {
            proxy_set_header Host $http_host;
            add_header X-Mine yes;
            proxy_pass http://{{ origin_address }};
        }
    }
}
"""


@dataclass(frozen=True)
class Case:
    """A profile with options, and what is to come of it."""

    profile: str
    roles: list[str]
    options: dict[str, Any] = field(default_factory=dict)
    tiers: list[str] = field(default_factory=lambda: ["edge"])
    caches: tuple[str, ...] = ()
    purge: str = "none"
    doors: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)

    @property
    def url_count(self) -> int:
        return 2 if self.profile == "two-tier" else 1


CASES = [
    Case("nginx-pass", ["edge"]),
    Case(
        "nginx-micro",
        ["edge", "purger"],
        {"purge": "url"},
        tiers=["edge", "purger"],
        caches=("lonjak-nginx",),
        purge="url",
        doors=[("lonjak-nginx", ("url",))],
    ),
    Case("varnish", ["edge", "edge-log"], tiers=["edge", "edge"], caches=("lonjak-varnish",)),
    Case(
        "two-tier",
        ["edge-shield", "shield-log", "edge-pop-1", "edge-pop-2", "purger"],
        {"purge": "auto"},
        tiers=["shield", "shield", "edge", "edge", "purger"],
        caches=("lonjak-shield", "lonjak-pop-1", "lonjak-pop-2"),
        purge="key",
        doors=[("lonjak-shield", ("url", "key")), ("lonjak-pop-1", ("url",)), ("lonjak-pop-2", ("url",))],
    ),
    Case("custom", ["edge"], caches=("lonjak-nginx",)),
]


@pytest.fixture(scope="module", params=CASES, ids=lambda case: case.profile)
def case(request: pytest.FixtureRequest) -> Case:
    given: Case = request.param
    absent = programs.missing(small(edge=given.profile).edge_programs if given.profile != "custom" else ["nginx"])
    if absent:
        pytest.skip(f"{', '.join(absent)} not installed")
    return given


@pytest.fixture(scope="module")
def folder(case: Case, state_dir: Path) -> Iterator[Path]:
    """The folder of a shop behind that edge."""
    config = state_dir / "mine.conf"
    config.write_text(CUSTOM)
    options = EdgeOptions(**case.options, config=str(config) if case.profile == "custom" else None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(STATE_VARIABLE, str(state_dir))
        started = client.start(small(edge=case.profile, edge_options=options), silent).parent
        yield started
        client.stop(port_of(started))


def edge_processes(stack: StackDocument) -> list[ProcessRecord]:
    return [record for record in stack.processes if record.role not in SHOP]


def test_every_door_serves_home_product_and_cart(folder: Path) -> None:
    for url in stack_in(folder).urls:
        answers = {path: requests.get(url + path, timeout=10) for path in PAGES}
        assert {answer.status_code for answer in answers.values()} == {200}
        assert {path: answer.headers["X-Page-Kind"] for path, answer in answers.items()} == PAGES


def test_the_edge_starts_after_the_shop_and_is_ready_when_all_of_it_is(folder: Path, case: Case) -> None:
    stack = stack_in(folder)
    assert [record.role for record in stack.processes] == [*SHOP, *case.roles]
    assert [record.tier for record in edge_processes(stack)] == case.tiers
    assert all(record.ready and record.identity.alive for record in stack.processes)
    for record in edge_processes(stack):
        # The purger announces nothing: it may still be at its imports.
        eventually(lambda pid=record.pid: psutil.Process(pid).uids().effective != 0)


def test_the_document_says_what_the_edge_is(folder: Path, case: Case) -> None:
    stack = stack_in(folder)
    assert (stack.edge, stack.caches, stack.edge_options.purge) == (case.profile, case.caches, case.purge)
    assert (stack.url, stack.port, len(stack.urls)) == (stack.urls[0], port_of(folder), case.url_count)
    assert [(door.cache, door.by) for door in stack.purge_doors] == case.doors
    assert (stack.origin_link, stack.ca_file, stack.origin, stack.kind) == (None, None, None, "shop")
    assert stack.holds == str(folder / "holds")
    assert read_stack(folder / "stack.json").urls == stack.urls


def test_every_shopper_is_logged_once_by_each_tier_that_logs(folder: Path, case: Case) -> None:
    stack = stack_in(folder)
    requests.get(stack.url + "/cart", headers={"X-Request-ID": "logged-once"}, timeout=10)
    logs = [Path(log.path) for log in stack.access_logs if log.tier in ("edge", "shield") and case.profile != "custom"]
    tiers = {"custom": 0, "two-tier": 2}.get(case.profile, 1)

    def lines() -> int:
        return sum(log.read_text().count('"logged-once"') for log in logs if log.exists())

    eventually(lambda: lines() >= tiers)
    assert lines() == tiers


def test_edge_processes_read_their_configuration_again_and_go_on(folder: Path, case: Case) -> None:
    before = stack_in(folder)
    reloading = [record for record in before.processes if record.reload]
    assert [record.role for record in reloading] == [
        role for role in case.roles if "log" not in role and role != "purger"
    ]
    for record in reloading:
        subprocess.run(record.reload or (), check=True, capture_output=True, timeout=20)
    for url in before.urls:
        assert requests.get(url + "/product/2", timeout=10).headers["X-Page-Kind"] == "product"
    now = {record.role: record for record in stack_in(folder).processes}
    assert [now[record.role].identity for record in reloading] == [record.identity for record in reloading]
