"""A worker has so many places, and a queue before them that is bounded in length and in time."""

import asyncio
import random

import pytest
from starlette.types import Receive, Scope, Send

from reference_shop.admission import Admission
from tests.shop import virtual_time
from tests.shop.asgi import Kitchen, Visit, ask, ok, refuse, scope_of, turns


class Door:
    """A kitchen behind an admission, and everybody who came."""

    def __init__(self, concurrency: int, queue_length: int | None = None) -> None:
        self.kitchen = Kitchen()
        self.admission = Admission(
            self.kitchen, refuse, concurrency=concurrency, queue_length=queue_length, clock=virtual_time.now
        )
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self.visits: dict[str, Visit] = {}

    async def come(self, *paths: str) -> None:
        for path in paths:
            visit = Visit(scope_of(path))
            visit.post(b"")
            self.visits[path] = visit
            self.tasks[path] = visit.start(self.admission)
            await turns()

    @property
    def statuses(self) -> dict[str, int]:
        return {path: visit.status for path, visit in self.visits.items()}


def test_so_many_are_served_at_once_and_the_others_in_the_order_in_which_they_came() -> None:
    async def story() -> None:
        door = Door(concurrency=2)
        await door.come("/a", "/b", "/c", "/d")
        assert list(door.kitchen.guests) == ["/a", "/b"]
        assert (door.admission.in_progress, door.admission.waiting) == (2, 2)
        await door.kitchen.serve("/b")
        assert list(door.kitchen.guests) == ["/a", "/c"]
        assert (door.admission.in_progress, door.admission.waiting) == (2, 1)
        for path in ("/a", "/c", "/d"):
            await door.kitchen.serve(path)
        assert door.statuses == {"/a": 200, "/b": 200, "/c": 200, "/d": 200}
        assert (door.admission.in_progress, door.admission.waiting) == (0, 0)

    virtual_time.run(story())


def test_whoever_finds_the_queue_full_is_refused_at_once() -> None:
    async def story() -> None:
        door = Door(concurrency=1)
        await door.come("/a", "/b", "/c", "/d")
        assert door.statuses == {"/a": 0, "/b": 0, "/c": 0, "/d": 503}
        assert virtual_time.now() == 0
        assert door.admission.refused_count == 1
        for path in ("/a", "/b", "/c"):
            await door.kitchen.serve(path)

    virtual_time.run(story())


def test_whoever_has_waited_for_five_seconds_is_refused_and_gone_from_the_queue() -> None:
    async def story() -> None:
        door = Door(concurrency=1)
        await door.come("/a", "/b")
        await asyncio.sleep(4.9)
        assert door.admission.waiting == 1
        await door.tasks["/b"]
        assert virtual_time.now() == pytest.approx(5.0)
        assert (door.statuses["/b"], door.admission.waiting) == (503, 0)
        await door.kitchen.serve("/a")
        assert (door.admission.in_progress, door.kitchen.served) == (0, ["/a"])

    virtual_time.run(story())


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/ops/truth"])
def test_operators_need_no_place(path: str) -> None:
    async def story() -> None:
        door = Door(concurrency=1, queue_length=0)
        await door.come("/a", path, "/b")
        assert list(door.kitchen.guests) == ["/a", path]
        assert door.statuses["/b"] == 503
        for guest in ("/a", path):
            await door.kitchen.serve(guest)

    virtual_time.run(story())


def test_a_client_that_hangs_up_leaves_the_queue_and_is_not_served() -> None:
    async def story() -> None:
        door = Door(concurrency=1, queue_length=1)
        await door.come("/a", "/b")
        door.visits["/b"].hang_up()
        await door.tasks["/b"]
        assert door.admission.waiting == 0
        await door.come("/c")
        await door.kitchen.serve("/a")
        await door.kitchen.serve("/c")
        assert door.kitchen.served == ["/a", "/c"]
        assert door.statuses["/b"] == 0
        assert door.admission.refused_count == 0

    virtual_time.run(story())


def test_what_a_client_sent_while_it_waited_reaches_the_application() -> None:
    async def story() -> None:
        heard: list[bytes] = []
        first_is_done = asyncio.Event()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["path"] == "/first":
                await first_is_done.wait()
                return
            more = True
            while more:
                message = await receive()
                heard.append(message["body"])
                more = message["more_body"]
            await ok(scope, receive, send)

        admission = Admission(app, refuse, concurrency=1)
        first, second = Visit(scope_of("/first")), Visit(scope_of("/cart/items", "POST"))
        first_task, second_task = first.start(admission), second.start(admission)
        await turns()
        second.post(b"product_id=7", more=True)
        await turns()
        first_is_done.set()
        await turns()
        second.post(b"&quantity=1")
        await asyncio.gather(first_task, second_task)
        assert heard == [b"product_id=7", b"&quantity=1"]
        assert second.status == 200

    virtual_time.run(story())


def test_a_body_that_is_longer_than_any_form_is_not_collected_while_its_sender_waits() -> None:
    async def story() -> None:
        door = Door(concurrency=1)
        await door.come("/a")
        long = Visit(scope_of("/b", "POST"))
        for _ in range(10):
            long.post(bytes(50_000), more=True)
        task = long.start(door.admission)
        await turns(20)
        assert long._to_come.qsize() == 8
        await door.kitchen.serve("/a")
        await door.kitchen.serve("/b")
        await task

    virtual_time.run(story())


def test_an_application_that_fails_gives_its_place_back() -> None:
    async def story() -> None:
        async def broken(_scope: Scope, _receive: Receive, _send: Send) -> None:
            raise ZeroDivisionError

        admission = Admission(broken, refuse, concurrency=1)
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                await ask(admission, "/")
        assert admission.in_progress == 0

    virtual_time.run(story())


def test_requests_that_need_nothing_but_the_processor_are_bounded_too() -> None:
    async def story() -> None:
        admission = Admission(ok, refuse, concurrency=2)
        visits = [Visit(scope_of("/")) for _ in range(10)]
        await asyncio.gather(*(visit.start(admission) for visit in visits))
        assert [visit.status for visit in visits] == [200] * 6 + [503] * 4

    virtual_time.run(story())


def test_a_place_that_was_given_to_a_request_in_the_instant_of_its_cancellation_is_handed_on() -> None:
    async def story() -> None:
        door = Door(concurrency=1)
        first = Visit(scope_of("/a"))

        async def come_and_cancel_the_next() -> None:
            await door.admission(first.scope, first.receive, first.send)
            door.tasks["/b"].cancel()  # its place has just been given to it

        task = asyncio.create_task(come_and_cancel_the_next())
        await turns()
        await door.come("/b", "/c")
        await door.kitchen.serve("/a")
        assert list(door.kitchen.guests) == ["/c"]
        await door.kitchen.serve("/c")
        await task
        assert (door.admission.in_progress, door.admission.waiting) == (0, 0)

    virtual_time.run(story())


def test_a_place_is_not_given_to_a_request_that_was_cancelled_an_instant_before() -> None:
    async def story() -> None:
        tasks: list[asyncio.Task[None]] = []
        is_ready, served = asyncio.Event(), []

        async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
            if scope["path"] == "/a":
                await is_ready.wait()
                tasks[1].cancel()
            served.append(scope["path"])

        admission = Admission(app, refuse, concurrency=1)
        tasks += [Visit(scope_of(path)).start(admission) for path in ("/a", "/b", "/c")]
        await turns()
        is_ready.set()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert served == ["/a", "/c"]
        assert (admission.in_progress, admission.waiting) == (0, 0)

    virtual_time.run(story())


def test_the_longest_wait_is_that_of_the_first_in_the_queue() -> None:
    async def story() -> None:
        door = Door(concurrency=1)
        await door.come("/a")
        assert door.admission.longest_wait_s == 0
        await door.come("/b")
        await asyncio.sleep(2)
        await door.come("/c")
        await asyncio.sleep(1)
        assert door.admission.longest_wait_s == 3
        await door.kitchen.serve("/a")
        assert door.admission.longest_wait_s == 1
        for path in ("/b", "/c"):
            await door.kitchen.serve(path)

    virtual_time.run(story())


@pytest.mark.parametrize("seed", range(20))
def test_whatever_happens_the_bounds_hold_and_every_place_comes_back(seed: int) -> None:
    async def story() -> None:
        rng = random.Random(seed)
        door = Door(concurrency=3, queue_length=4)
        for number in range(200):
            await door.come(f"/{number}")
            running = [path for path, task in door.tasks.items() if not task.done()]
            match rng.choice(("serve", "hang up", "cancel", "wait", "nothing")):
                case "serve":
                    await door.kitchen.serve(rng.choice(list(door.kitchen.guests)))
                case "hang up":
                    door.visits[rng.choice(running)].hang_up()
                case "cancel":
                    door.tasks[rng.choice(running)].cancel()
                case "wait":
                    await asyncio.sleep(rng.uniform(0, 6))
            await turns()
            assert len(door.kitchen.guests) == door.admission.in_progress <= 3
            assert door.admission.waiting <= 4
            assert not door.admission.waiting or door.admission.in_progress == 3
        while door.kitchen.guests:
            await door.kitchen.serve(next(iter(door.kitchen.guests)))
        await asyncio.gather(*door.tasks.values(), return_exceptions=True)
        assert (door.admission.in_progress, door.admission.waiting) == (0, 0)

    virtual_time.run(story())
