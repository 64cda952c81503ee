"""stack.json as it is written, read again, and read by the load generator."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

import loadgen.stack
from loadgen.errors import UsageProblem
from loadgen.stack import find_stack, find_stack_at, read_stack
from reference_shop.edges import EdgeOptions
from reference_shop.stack import document
from reference_shop.stack.document import AccessLog, OriginLink, ProcessRecord, PurgeDoor, StackDocument
from reference_shop.stack.folder import STATE_VARIABLE
from reference_shop.stack.identity import ProcessIdentity, myself

BUILT_FROM = ("past_orders", "changes_per_s", "protections", "throttles", "defects", "control_groups")
EDGE = ("urls", "ca_file", "caches", "edge_options", "origin_link", "purge_doors", "holds", "origin")
STACK = StackDocument(
    state="ready",
    url="http://127.0.0.1:8080",
    edge="nginx",
    port=8080,
    started_at=1.5,
    products=50,
    seed=1,
    workers=1,
    supervisor=ProcessIdentity(7, 9),
    owner=None,
    ops_url="http://127.0.0.1:1/ops/truth",
    ops_token="secret",
    cpu_sets={"stack": (0, 1)},
    access_logs=(AccessLog("payment", "/payment.jsonl"),),
    processes=(
        ProcessRecord("shop-1", "shop", 1, 2, 3, (0,), "log", "always", 0, True),
        ProcessRecord("edge", "edge", 4, 5, 6, (0,), "log", "always", 0, True, ("nginx", "-s", "reload")),
    ),
    past_orders=7,
    changes_per_s=0.5,
    protections=("waiting-room",),
    throttles=("shop.cpu=0.5",),
    defects=("double-charge",),
    control_groups=("/lonjak-0-8080-shop",),
    urls=("http://127.0.0.1:8080", "http://127.0.0.1:8090"),
    ca_file="/ca.pem",
    caches=("lonjak-shield", "lonjak-pop-1"),
    edge_options=EdgeOptions(tls=True, waf=2, rate_limit_per_s=50, origin_rtt_ms=7.5, purge="key", config="/my.vcl"),
    origin_link=OriginLink("/control.json", 7.5),
    purge_doors=(PurgeDoor("lonjak-shield", "http://127.0.0.1:7", ("url", "key")),),
    holds="/holds",
    origin="http://127.0.0.1:9",
)


def test_a_document_survives_being_written(tmp_path: Path) -> None:
    STACK.write(tmp_path)
    assert document.read(tmp_path) == STACK


def test_a_document_of_before_says_nothing_of_what_the_stack_was_built_from(tmp_path: Path) -> None:
    values = {name: value for name, value in asdict(STACK).items() if name not in (*BUILT_FROM, *EDGE)}
    for process in values["processes"]:
        del process["reload"]
    (tmp_path / document.FILE_NAME).write_text(json.dumps(values))
    read = document.read(tmp_path)
    assert read == replace(
        STACK,
        **dict.fromkeys(("protections", "throttles", "defects", "control_groups", "caches", "purge_doors"), ()),
        **dict.fromkeys(("ca_file", "origin_link", "holds", "origin")),
        past_orders=0,
        changes_per_s=0.0,
        urls=(STACK.url,),
        edge_options=EdgeOptions(),
        processes=tuple(replace(process, reload=None) for process in STACK.processes),
    )
    assert (STACK.kind, read.kind) == ("edge", "shop")


def test_the_load_generator_reads_what_the_stack_was_built_from(tmp_path: Path) -> None:
    STACK.write(tmp_path)
    read = read_stack(tmp_path / document.FILE_NAME)
    assert (read.protections, read.throttles, read.defects) == (STACK.protections, STACK.throttles, STACK.defects)
    assert (read.past_orders, read.changes_per_s, read.products) == (7, 0.5, 50)


def test_the_load_generator_reads_what_stands_before_the_shop(tmp_path: Path) -> None:
    STACK.write(tmp_path)
    read = read_stack(tmp_path / document.FILE_NAME)
    assert (read.urls, read.ca_file, read.caches) == (STACK.urls, Path("/ca.pem"), STACK.caches)
    assert read.edge_options == loadgen.stack.EdgeOptions(**asdict(STACK.edge_options))
    assert read.origin_link == loadgen.stack.OriginLink(Path("/control.json"), 7.5)
    assert read.purge_doors == (loadgen.stack.PurgeDoor("lonjak-shield", "http://127.0.0.1:7", ("url", "key")),)
    assert (read.holds, read.origin) == (Path("/holds"), "http://127.0.0.1:9")
    assert [process.reload for process in read.processes] == [None, ("nginx", "-s", "reload")]


def test_the_load_generator_reads_a_file_that_somebody_wrote_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text('{"schema_version": 1, "url": "http://127.0.0.1:1", "processes": []}')
    read = read_stack(path)
    assert (read.protections, read.throttles, read.defects) == ((), (), ())
    assert (read.past_orders, read.changes_per_s, read.products) == (0, 0.0, 0)
    assert (read.urls, read.ca_file, read.caches) == (("http://127.0.0.1:1",), None, ())
    assert (read.edge_options, read.origin_link) == (loadgen.stack.EdgeOptions(), None)
    assert (read.purge_doors, read.holds, read.origin) == ((), None, None)


def running(folder: Path, **changes: object) -> str:
    """The URL of a stack in a state folder, whose supervisor is this very process."""
    url = f"http://127.0.0.1:{changes['port']}"
    (folder / f"stack-{changes['port']}").mkdir(parents=True)
    stack = replace(STACK, url=url, supervisor=myself(), **{"urls": (url,), **changes})
    stack.write(folder / f"stack-{changes['port']}")
    return url


def test_a_stack_is_found_at_each_of_its_points_of_presence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STATE_VARIABLE, str(tmp_path))
    url = running(tmp_path, port=1, urls=("http://127.0.0.1:1", "http://127.0.0.1:2"))
    assert [getattr(find_stack_at(f"http://127.0.0.1:{port}/"), "url", None) for port in (1, 2, 3)] == [url, url, None]


def test_without_a_target_a_shop_is_meant_rather_than_an_edge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STATE_VARIABLE, str(tmp_path))
    edge = running(tmp_path, port=1)
    assert find_stack().url == edge
    shop = running(tmp_path, port=2, origin=None)
    assert find_stack().url == shop
    running(tmp_path, port=3, origin=None)
    with pytest.raises(UsageProblem):
        find_stack()
