"""The bench's arithmetic and choices, without any load."""

import json
from pathlib import Path
from typing import Any

import pytest

from loadgen.bench import shares
from loadgen.bench.meter import Cost, Meter
from loadgen.errors import ProgramMissing, UsageProblem
from loadgen.exitcodes import ExitCode
from lonjak.bench.contenders import LONJAK, Aim, absent, contenders
from lonjak.bench.figures import Spread, Standing, Window, paired_ratio, standings
from lonjak.bench.memory import Footprint
from lonjak.bench.output import as_json, table
from lonjak.bench.section import Section, Settings
from lonjak.bench.server import configuration, find_nginx
from lonjak.bench.stub_status import parse
from lonjak.bench.visits import visits
from lonjak.commands.bench import chosen

SETTINGS = Settings(rounds=1, duration_s=1.0, shopper_count=100, server_cpu=0, contender_cpu=1)
ROOT = Path(__file__).resolve().parents[2]


def on_path(*names: str) -> Any:
    return lambda name: f"/usr/bin/{name}" if name in names else None


def test_a_window_says_what_was_made_in_a_second_and_in_a_second_of_the_processor() -> None:
    window = Window(seconds=2.0, request_count=3000, cpu_s=0.5)
    assert (window.per_s, window.per_cpu_s, window.cpu_ratio) == (1500.0, 6000.0, 0.25)


def test_a_spread_is_the_median_between_the_extremes() -> None:
    assert Spread.of([3.0, 1.0, 2.0]) == Spread(median=2.0, low=1.0, high=3.0)


def test_ratios_are_of_the_same_round_so_that_a_slow_round_does_not_count() -> None:
    assert paired_ratio([100.0, 10.0, 100.0], [50.0, 5.0, 50.0]) == 2.0


def test_each_contender_stands_beside_ours() -> None:
    ours, theirs = Window(1.0, 200, 0.5), Window(1.0, 100, 1.0, server_cpu_s=0.25)
    found = standings({LONJAK: [ours], "other": [theirs]}, LONJAK)
    assert found[1] == Standing(
        "other", (theirs,), Spread(100.0, 100.0, 100.0), Spread(100.0, 100.0, 100.0), 1.0, 0.25, 2.0, 4.0
    )
    assert (found[0].lonjak_per_s_ratio, found[0].lonjak_per_cpu_s_ratio) == (1.0, 1.0)


def test_tools_are_measured_where_they_are_on_path() -> None:
    names = [contender.name for contender in contenders(find=on_path("k6", "wrk"))]
    assert names == [LONJAK, "FastHttpUser", "HttpUser", "wrk", "k6"]
    assert absent(on_path("k6", "wrk")) == ["vegeta", "hey", "h2load"]


def test_every_contender_gets_the_address_and_the_connections(tmp_path: Path) -> None:
    everybody = contenders(find=lambda name: name)
    for contender in everybody:
        folder = tmp_path / contender.name
        folder.mkdir()
        command = contender.command(Aim("http://127.0.0.1:1234", 50, 30, folder))
        written = [path.read_text() for path in folder.iterdir() if path.is_file()]
        said = " ".join([*command, *written])
        assert ("http://127.0.0.1:1234" in said, "50" in said) == (True, True), contender.name
    assert len(everybody) == 8


def test_nginx_says_how_many_connections_it_holds_and_requests_it_served() -> None:
    page = "Active connections: 52 \nserver accepts handled requests\n 104 104 33634 \nReading: 0 Writing: 1 \n"
    assert parse(page) == (52, 33634)
    with pytest.raises(ValueError, match="no page of stub_status"):
        parse("<html>404</html>")


def test_the_server_keeps_every_connection_and_logs_nothing() -> None:
    text = configuration(1111, 2222, connections=5000, certificate=None)
    lines = {line.strip() for line in text.splitlines()}
    assert {"listen 127.0.0.1:1111 backlog=4096 reuseport;", "worker_connections 10100;", "access_log off;"} <= lines


def test_without_nginx_the_command_that_installs_it_is_told() -> None:
    with pytest.raises(ProgramMissing, match="apt-get install") as told:
        find_nginx(lambda: None)
    assert told.value.exit_code == ExitCode.ENVIRONMENT


def test_sections_come_in_their_own_order_and_unknown_ones_are_refused() -> None:
    assert chosen("memory, plain") == ["plain", "memory"]
    with pytest.raises(
        UsageProblem, match="'speed', but the sections are plain, tls, session, memory, crowd, schedule, truth"
    ):
        chosen("plain,speed")


def test_a_session_costs_what_its_process_used() -> None:
    ours = [Cost(10, 400, 0, 0.2, 1.0, {"client": 0.5, "engine": 0.5})]
    theirs = [Cost(10, 400, 0, 0.4, 1.0, {"client": 0.75, "engine": 0.25})]
    found = visits("other", theirs, ours)
    assert found.cpu_ms_per_request.median == pytest.approx(1.0)
    assert found.cpu_ms_per_session.median == pytest.approx(40.0)
    assert (found.lonjak_ratio, found.outside_client_ratio) == (pytest.approx(2.0), 0.25)


def test_a_meter_writes_when_the_last_of_its_sessions_is_over(tmp_path: Path) -> None:
    path = tmp_path / "meter.json"
    meter = Meter(path, 2, lambda: (80, 1))
    for _ in range(2):
        meter.begin()
    meter.end()
    assert Cost.read(path) is None
    meter.end()
    cost = Cost.read(path)
    assert cost is not None
    assert (cost.session_count, cost.request_count) == (2, 80)


@pytest.mark.parametrize(
    ("filename", "group"),
    [
        ("/x/loadgen/http/client.py", shares.CLIENT),
        ("/x/site-packages/locust/contrib/fasthttp.py", shares.CLIENT),
        ("/x/site-packages/geventhttpclient/response.py", shares.CLIENT),
        ("/x/scenarios/reference_pages.py", shares.PAGES),
        ("/x/loadgen/recorder.py", shares.RECORDING),
        ("/x/site-packages/locust/stats.py", shares.RECORDING),
        ("/x/loadgen/attendance.py", shares.ENGINE),
        ("/x/site-packages/gevent/hub.py", shares.ENGINE),
        ("/usr/lib/python3.11/json/decoder.py", None),
        ("/usr/lib/python3.11/http/client.py", None),
    ],
)
def test_processor_time_is_charged_to_whose_code_it_is(filename: str, group: str | None) -> None:
    assert shares.group_of(filename) == group


def test_the_modules_that_are_told_apart_exist() -> None:
    gone = [name for name in shares.RECORDING_MODULES if not (ROOT / "loadgen" / f"{name}.py").exists()]
    assert gone == []


def test_a_section_is_a_table_for_people_and_rows_for_programs() -> None:
    row = Footprint("Lonjak", 100, 5000.0, 60_000_000, 1.0)
    section = Section("memory", "A sentence.", ("", "bytes"), (("Lonjak", "5,000"),), (row,))
    document = json.loads(as_json([section, Section("tls", skipped="no openssl")], SETTINGS))
    assert document["sections"]["memory"]["rows"][0]["bytes_per_shopper"] == 5000.0
    assert document["sections"]["tls"] == {"skipped": "no openssl", "sentence": "", "rows": [], "recordings": []}
    assert [column.header for column in table(section).columns] == ["", "bytes"]
    assert document["settings"]["disjoint"] is True
