"""What a user's own locustfile leaves in the record besides its requests."""

from tests.engine.scripted_shop import ScriptedShop
from tests.engine.test_runs import Locust, events, locust, only_run

__all__ = ["locust"]


def test_a_task_that_fails_stands_in_the_history_once_and_a_password_nowhere(
    locust: Locust, shop: ScriptedShop
) -> None:
    host = shop.url.replace("http://", "http://somebody:s3cr3t-word@")
    assert locust.run("--host", host, "-u", "2", "-r", "2", "-t", "2s", locustfile="failing.py") == 0, locust.stderr
    run = only_run(locust.folder)
    assert [event.detail["message"] for event in events(run, "warning")] == [
        "a task of a user failed: KeyError: 'price'"
    ]
    assert shop.counts["/hello"] > 0
    for file in run.path.iterdir():
        assert b"s3cr3t-word" not in file.read_bytes(), file.name
