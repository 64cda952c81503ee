"""What the programs say: one JSON object a line, and one id for a request through all of them."""

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import copy_context
from pathlib import Path
from uuid import uuid4

import pytest
import requests

from reference_shop.logs import JsonLines
from reference_shop.request_id import current_request_id
from tests.shop.database import ask, put_on_shelf
from tests.shop.processes import SCHEMA, Postgres, Program, Workshop, listen, wait_until
from tests.shop.shopper import Shopper, order_id_of

Line = dict[str, object]


def lines_of(path: Path) -> list[Line]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def spoken(message: str, *arguments: object, error: BaseException | None = None) -> Line:
    """The line that a program would write."""
    exc_info = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord("shop.till", logging.WARNING, "till.py", 1, message, arguments, exc_info)
    record.created = 1700000000.1234567
    text = JsonLines().format(record)
    assert len(text.splitlines()) == 1
    line = json.loads(text)
    assert isinstance(line, dict)
    return line


def test_a_line_says_when_how_grave_who_and_what() -> None:
    assert spoken("order %d is late", 17) == {
        "at": 1700000000.123457,
        "level": "WARNING",
        "logger": "shop.till",
        "message": "order 17 is late",
    }


def test_a_line_inside_a_request_carries_its_id() -> None:
    def inside() -> Line:
        current_request_id.set("shop-1-ab-7")
        return spoken("hello")

    assert copy_context().run(inside)["request_id"] == "shop-1-ab-7"
    assert "request_id" not in spoken("hello")


def test_no_message_breaks_a_line_in_two() -> None:
    message = "first\nsecond\r\x0b\x85\u2028 \U0001f35c end"
    assert spoken(message)["message"] == message


def test_a_traceback_is_one_text_in_its_line() -> None:
    with pytest.raises(ValueError, match="no such till") as caught:
        raise ValueError("no such till")
    trace = spoken("it failed", error=caught.value)["exc"]
    assert isinstance(trace, str)
    assert trace.startswith("Traceback (most recent call last):\n")
    assert trace.endswith("ValueError: no such till")


def test_warnings_and_the_accident_that_ends_a_program_are_lines_too() -> None:
    program = (
        "import sys, warnings; from reference_shop.logs import log_as_json; log_as_json(sys.stderr);"
        "warnings.warn('old till'); raise ValueError('no till')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    warning, end = (json.loads(line) for line in done.stderr.splitlines())
    assert (warning["level"], warning["logger"]) == ("WARNING", "py.warnings")
    assert (end["level"], end["message"]) == ("CRITICAL", "this program ends: ValueError")
    assert end["exc"].endswith("ValueError: no till")


@contextmanager
def missing_table(url: str) -> Iterator[None]:
    """A database that nobody has foreseen."""
    ask(url, f"ALTER TABLE {SCHEMA}.products RENAME TO mislaid")
    try:
        yield
    finally:
        ask(url, f"ALTER TABLE {SCHEMA}.mislaid RENAME TO products")


def test_an_accident_is_one_line_with_the_id_that_the_shopper_got(
    workshop: Workshop, provider: Program, postgres: Postgres
) -> None:
    worker = workshop.web(provider.url, protections=[])
    with Shopper(worker.url) as shopper, missing_table(postgres.url):
        answer = shopper.get("/product/404")
    assert answer.status_code == 500
    wait_until(lambda: '"exc"' in worker.log.read_text(), "the line of the accident")
    [accident] = [line for line in lines_of(worker.log) if "exc" in line]
    assert accident["level"] == "ERROR"
    assert accident["request_id"] == answer.headers["x-request-id"]
    assert "UndefinedTableError" in str(accident["exc"])


@pytest.mark.parametrize("stop", [False, True])
def test_all_that_a_program_says_is_json_the_servers_own_words_too(
    workshop: Workshop, provider: Program, *, stop: bool
) -> None:
    worker = workshop.web(provider.url)
    if stop:
        assert worker.stop() == 0
    for program in (provider, worker):
        lines = lines_of(program.log)
        assert {"at", "level", "logger", "message"} <= set.intersection(*map(set, lines))
        assert any(line["logger"] == "uvicorn.error" for line in lines)


@pytest.fixture
def logging_provider(workshop: Workshop, shop_folder: Path) -> tuple[Program, Path]:
    """A provider and its access log."""
    path = shop_folder / f"access-payment-{uuid4().hex}.jsonl"
    settings: dict[str, object] = {
        "latency": {"distribution": "constant", "ms": 1},
        "decline_ratio": 0.0,
        "seed": 1,
        "journal": str(shop_folder / "logged-journal.jsonl"),
        "access_log": str(path),
    }
    return workshop._start("payment", settings, listen()), path


def test_a_checkout_has_one_id_in_shop_and_provider(
    workshop: Workshop, logging_provider: tuple[Program, Path], postgres: Postgres
) -> None:
    provider, provider_log = logging_provider
    worker = workshop.web(provider.url)
    put_on_shelf(postgres.url, 421, 5)
    with Shopper(worker.url) as shopper:
        paid = shopper.pay(shopper.prepare(421))
        order_id_of(paid)
        other = shopper.get("/cart")
    request_id = paid.headers["x-request-id"]
    assert other.headers["x-request-id"] != request_id

    def of_the_checkout(path: Path) -> list[Line]:
        return [line for line in lines_of(path) if line["request_id"] == request_id]

    logs = (workshop.access_log(worker), provider_log)
    wait_until(lambda: all(of_the_checkout(path) for path in logs), "the checkout's lines")
    [at_the_shop], [at_the_provider] = map(of_the_checkout, logs)
    assert (at_the_shop["kind"], at_the_shop["status"]) == ("payment", 303)
    assert (at_the_provider["kind"], at_the_provider["status"]) == ("charge", 200)
    assert set(at_the_provider) == set(at_the_shop) == {"at", "kind", "status", "bytes", "duration_s", "request_id"}
    assert at_the_provider["duration_s"] < at_the_shop["duration_s"]  # type: ignore[operator]


def test_the_providers_last_lines_are_written_when_it_stops(logging_provider: tuple[Program, Path]) -> None:
    provider, path = logging_provider
    assert requests.get(f"{provider.url}/nowhere", timeout=10).status_code == 404
    assert provider.stop() == 0
    last = lines_of(path)[-1]
    assert (last["kind"], last["status"]) == ("other", 404)


def test_an_id_is_believed_only_if_an_edge_gave_it(workshop: Workshop, provider: Program, shop: Program) -> None:
    behind_edge = workshop.web(provider.url, behind_edge=True)
    answers = []
    for program in (behind_edge, shop):
        with Shopper(program.url) as shopper:
            answers.append(shopper.get("/cart", **{"X-Request-ID": "from-outside-7"}).headers["x-request-id"])
    assert answers[0] == "from-outside-7"
    assert answers[1].startswith("shop-")
