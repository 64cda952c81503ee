"""The response times that this generator reports, beside what queueing theory says of a server that freezes."""

import socket
import time

import pytest

from loadgen.histogram import Histogram
from lonjak.bench.truth import Case, Row, charged, freezing_server, measure_closed, measure_open
from lonjak.progress import Progress

SHORT = {
    "0.2 s at 1000/s": Case(freeze_s=0.2, rate_per_s=1000.0, service_s=0.0002, duration_s=10.0),
    "2 s at 1000/s": Case(freeze_s=2.0, rate_per_s=1000.0, service_s=0.0002, duration_s=40.0),
}

BUSY_RATIO, BUSY_MS = 0.05, 25.0  # a frozen server that went unnoticed would be off by a hundred and more


def told(rows: list[Row]) -> str:
    return "\n".join(
        f"p{row.percent:g}: {row.measured_ms:.2f} ms measured, {row.analytic_ms:.2f} ms by theory {row.doubt}"
        for row in rows
    )


def ask(port: int) -> socket.socket:
    asking = socket.create_connection(("127.0.0.1", port), timeout=5)
    asking.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
    return asking


def test_a_frozen_server_answers_nothing_and_then_everybody_in_turn() -> None:
    case = Case(freeze_s=0.4, rate_per_s=1.0, service_s=0.002, duration_s=1.0)
    with freezing_server(case) as (port, end):
        with ask(port) as first:
            assert first.recv(4096).endswith(b"\r\n\r\nok")
        time.sleep(0.4)  # the freeze begins 0.3 s after the first request
        waiting = [ask(port) for _ in range(50)]
        answered_at = []
        for asking in waiting:
            with asking:
                assert asking.recv(4096).endswith(b"\r\n\r\nok")
                answered_at.append(time.time())
        report = end()
    assert report.answered_count == 51
    assert report.frozen_until_at - report.frozen_from_at == pytest.approx(0.4, abs=1e-6)
    for number, at in enumerate(answered_at, start=1):
        assert at >= report.frozen_until_at + number * 0.002


def test_a_lag_that_response_times_leave_out_is_found_however_small() -> None:
    def recorded(value_us: int) -> Histogram:
        histogram = Histogram()
        histogram.record(value_us, 1000)
        return histogram

    honest = {"service_time": recorded(1000), "schedule_lag": recorded(600), "response_time": recorded(1650)}
    assert charged(honest)
    assert not charged(honest | {"response_time": recorded(1000)})


@pytest.mark.parametrize("case", SHORT.values(), ids=SHORT)
def test_response_times_are_those_of_queueing_theory(case: Case) -> None:
    """To what a busy machine adds; to 2 % or 1 ms they are held by `lonjak bench --only truth` on a quiet one."""
    rows = list(measure_open(case, Progress()))
    assert len(rows) == 4
    assert all(abs(row.difference_ms) <= max(BUSY_RATIO * row.analytic_ms, BUSY_MS) for row in rows), told(rows)


def test_users_in_a_loop_leave_the_freeze_out_of_their_p99() -> None:
    rows = {row.percent: row for row in measure_closed(SHORT["0.2 s at 1000/s"], Progress())}
    assert rows[99.0].analytic_ms > 100
    assert rows[99.0].measured_ms < 50
