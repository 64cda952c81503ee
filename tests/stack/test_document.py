"""stack.json as it is written, read again, and read by the load generator."""

import json
from dataclasses import asdict, replace
from pathlib import Path

from loadgen.stack import read_stack
from reference_shop.stack import document
from reference_shop.stack.document import AccessLog, ProcessRecord, StackDocument
from reference_shop.stack.identity import ProcessIdentity

NEW = ("past_orders", "changes_per_s", "protections", "throttles", "defects", "control_groups")
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
    processes=(ProcessRecord("shop-1", "shop", 1, 2, 3, (0,), "log", "always", 0, True),),
    past_orders=7,
    changes_per_s=0.5,
    protections=("waiting-room",),
    throttles=("shop.cpu=0.5",),
    defects=("double-charge",),
    control_groups=("/lonjak-0-8080-shop",),
)


def test_a_document_survives_being_written(tmp_path: Path) -> None:
    STACK.write(tmp_path)
    assert document.read(tmp_path) == STACK


def test_a_document_of_before_says_nothing_of_what_the_stack_was_built_from(tmp_path: Path) -> None:
    values = {name: value for name, value in asdict(STACK).items() if name not in NEW}
    (tmp_path / document.FILE_NAME).write_text(json.dumps(values))
    before = replace(
        STACK, past_orders=0, changes_per_s=0.0, protections=(), throttles=(), defects=(), control_groups=()
    )
    assert document.read(tmp_path) == before


def test_the_load_generator_reads_what_the_stack_was_built_from(tmp_path: Path) -> None:
    STACK.write(tmp_path)
    read = read_stack(tmp_path / document.FILE_NAME)
    assert (read.protections, read.throttles, read.defects) == (STACK.protections, STACK.throttles, STACK.defects)
    assert (read.past_orders, read.changes_per_s) == (7, 0.5)


def test_the_load_generator_reads_a_file_that_somebody_wrote_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text('{"schema_version": 1, "url": "http://127.0.0.1:1", "processes": []}')
    read = read_stack(path)
    assert (read.protections, read.throttles, read.defects) == ((), (), ())
    assert (read.past_orders, read.changes_per_s) == (0, 0.0)
