"""The web UI's guard, on Locust's own Flask application."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from flask.testing import FlaskClient
from locust import User, constant
from locust.env import Environment

from loadgen.conductor import Conductor
from loadgen.errors import TargetRefused, TargetUnreachable
from loadgen.ui import guard

PORT = "http://127.0.0.1:8089"


class Nobody(User):
    wait_time = constant(1)  # type: ignore[no-untyped-call]


@dataclass
class Planned:
    rate: str | None = None
    duration_s: float | None = None


@dataclass
class RecordingConductor:
    """Notes what the web UI asks for; refuses what is not loopback, as the real one does."""

    options: Planned = field(default_factory=Planned)
    prepared: list[dict[str, Any]] = field(default_factory=list)
    run: object = None
    ours: bool = True

    def prepare(self, **asked: Any) -> None:
        if asked["host"] == "http://evil.example":
            raise TargetRefused("target evil.example is not loopback")
        if asked["host"] == "http://127.0.0.1:1":
            raise TargetUnreachable("nothing answers")
        self.prepared.append(asked)


@pytest.fixture
def conductor() -> RecordingConductor:
    return RecordingConductor()


@pytest.fixture
def web(conductor: RecordingConductor, monkeypatch: pytest.MonkeyPatch) -> Iterator[FlaskClient]:
    monkeypatch.setattr(sys, "argv", ["locust"])  # Locust's page reads the command line again each time
    environment = Environment(user_classes=[Nobody])
    runner = environment.create_local_runner()
    ui = environment.create_web_ui("127.0.0.1", 0, delayed_start=True)
    assert ui.app is not None
    guard(ui.app, cast(Conductor, conductor), base_path="", own_names=frozenset(("ui.example",)))
    yield ui.app.test_client()
    runner.quit()


FORM = {"user_count": "1", "spawn_rate": "1", "host": "http://127.0.0.1:8080"}


def post(
    web: FlaskClient, path: str, form: dict[str, str] = FORM, base_url: str = PORT, **headers: str
) -> tuple[int, str]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = web.post(path, data=form, headers=named, base_url=base_url)
    return answer.status_code, answer.get_data(as_text=True)


@pytest.mark.parametrize("path", ["/swarm", "/stop", "/stats/reset", "/user", "/anything"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)
def test_another_pages_wish_to_change_something_is_refused(
    web: FlaskClient, conductor: RecordingConductor, path: str, headers: dict[str, str]
) -> None:
    status, body = post(web, path, **headers)
    assert status == 403
    assert "another origin" in body
    assert conductor.prepared == []


@pytest.mark.parametrize("name", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8089"])
def test_a_rebound_name_gets_no_answer_at_all(web: FlaskClient, name: str) -> None:
    assert web.get("/stats/requests", base_url=f"http://{name}").status_code == 403
    assert post(web, "/stop", base_url=f"http://{name}")[0] == 403


@pytest.mark.parametrize(
    "name", ["127.0.0.1:8089", "localhost:8089", "[::1]:8089", "192.0.2.4:8089", "ui.example:8089"]
)
def test_its_own_names_and_addresses_are_answered(web: FlaskClient, name: str) -> None:
    assert web.get("/stats/requests", base_url=f"http://{name}").status_code == 200
    assert post(web, "/stats/reset", base_url=f"http://{name}", Origin=f"http://{name}")[0] == 200


def test_a_foreign_host_in_the_form_is_refused_in_a_sentence(web: FlaskClient, conductor: RecordingConductor) -> None:
    status, body = post(web, "/swarm", {**FORM, "host": "http://evil.example"})
    assert status == 400
    assert "evil.example is not loopback" in body
    assert post(web, "/swarm", {**FORM, "host": "http://127.0.0.1:1"})[0] == 503


def test_rate_and_duration_come_from_the_form(web: FlaskClient, conductor: RecordingConductor) -> None:
    post(web, "/swarm", {**FORM, "user_count": "x", "rate": " 12.5 ", "run_time": "2m", "allow_host": "evil.example"})
    assert conductor.prepared == [{"host": "http://127.0.0.1:8080", "rate": "12.5", "duration_s": 120.0}]
