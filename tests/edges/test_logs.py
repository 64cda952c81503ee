"""The access log of each edge process: JSON lines of one form, whichever program wrote them."""

import os
import signal
import subprocess
import time

import pytest

from reference_shop.edges import EdgeOptions
from tests.edges.conftest import OpenPlace
from tests.edges.crowd import ask_at_once
from tests.edges.origin import TestOrigin
from tests.edges.running import Edge, running, start
from tests.stack.conftest import eventually

_BOTH = pytest.mark.parametrize(("profile", "role"), [("nginx", "edge"), ("varnish", "edge-log")])


@pytest.mark.parametrize(
    ("profile", "role"),
    [("nginx", "edge"), ("varnish", "edge-log"), ("two-tier", "edge-pop-1"), ("two-tier", "shield-log")],
)
def test_every_request_leaves_one_line(open_place: OpenPlace, profile: str, role: str) -> None:
    place = open_place(profile)
    _wait_for_log(place.edge, role)
    mark = f"{role}-{profile}"
    page, private = place.origin.page(), place.origin.page("private, no-store", name="/cart?{}")
    begun = time.time()
    for number, path in enumerate((page, page, private, "/ops")):
        place.edge.get(path, **{"X-Request-ID": f"{mark}-{number}"})
    place.edge.get(private, method="POST", **{"X-Request-ID": f"{mark}-4"})
    seen = (0, 2, 4) if role == "shield-log" else (0, 1, 2, 3, 4)
    lines = eventually(lambda: _lines(place.edge, role, mark, len(seen)))
    words = {0: "miss", 1: "hit", 2: "bypass", 3: "none", 4: "none"}
    assert [(line["kind"], line["status"], line["cache"], line["request_id"]) for line in lines] == [
        ("" if number == 3 else "product", 404 if number == 3 else 200, words[number], f"{mark}-{number}")
        for number in seen
    ]
    for line in lines:
        assert begun - 1 < line["at"] < time.time() + 1
        assert 0 <= line["duration_s"] < 5
        assert 0 < line["bytes"] <= 2100


@_BOTH
def test_who_waited_for_another_ones_fetch_is_logged_as_such(open_place: OpenPlace, profile: str, role: str) -> None:
    place = open_place(profile)
    _wait_for_log(place.edge, role)
    before = sum(line["cache"] == "collapsed" for line in place.edge.log(role))
    ask_at_once(place.edge.urls, place.origin.page(delay_s=0.7), 10)
    eventually(lambda: sum(line["cache"] == "collapsed" for line in place.edge.log(role)) == before + 9)


@_BOTH
def test_purges_are_no_shoppers_requests(open_place: OpenPlace, profile: str, role: str) -> None:
    place = open_place(profile)
    _wait_for_log(place.edge, role)
    place.edge.purge(place.origin.page())
    place.edge.get(place.origin.page(), **{"X-Request-ID": "after-the-purge"})
    eventually(lambda: any(line["request_id"] == "after-the-purge" for line in place.edge.log(role)))
    assert not [line for line in place.edge.log(role) if line["request_id"] == "purge-1"]


def test_the_log_goes_on_when_varnish_comes_back_after_its_death() -> None:
    origin = TestOrigin()
    origin.open()
    with running("varnish", origin.port, EdgeOptions()) as edge:
        _wait_for_log(edge, "edge-log")
        os.killpg(edge.running["edge"].pid, signal.SIGKILL)
        edge.running["edge"].wait()
        edge.running["edge"] = start(edge.site.folder, edge.process("edge"))
        _wait_for_log(edge, "edge-log")
        assert edge.running["edge-log"].poll() is None
    origin.die()


@pytest.mark.parametrize("profile", ["nginx", "varnish"])
def test_a_configuration_is_read_again_without_losing_the_cache(open_place: OpenPlace, profile: str) -> None:
    place = open_place(profile)
    page = place.origin.page()
    place.edge.get(page)
    for _ in range(3):
        reload = place.edge.process("edge").reload
        assert reload is not None
        subprocess.run(reload, check=True, capture_output=True, timeout=20)
    assert eventually(lambda: place.edge.status(page).endswith("; hit"))
    assert place.edge.running["edge"].poll() is None


def _wait_for_log(edge: Edge, role: str) -> None:
    """Until requests are logged: Varnish's log has to be found first, and nginx writes its own."""
    if not role.endswith("-log"):
        return

    def is_logged() -> bool:
        edge.get("/cart?waiting-for-the-log")
        return len(edge.log(role)) > before

    before = len(edge.log(role))
    eventually(is_logged)


def _lines(edge: Edge, role: str, mark: str, count: int) -> list[dict[str, object]]:
    lines = [line for line in edge.log(role) if str(line["request_id"]).startswith(mark)]
    return sorted(lines, key=lambda line: str(line["request_id"])) if len(lines) >= count else []
