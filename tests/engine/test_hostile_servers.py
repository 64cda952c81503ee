"""Whatever a server answers, each request ends once, in time, in a class, and leaves nothing behind."""

import gc
import ssl
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any

import gevent
import greenlet  # type: ignore[import-untyped]
import psutil
import pytest
from gevent.pool import Pool
from locust.event import EventHook

from loadgen.failures import failure_class
from loadgen.http.client import ShopperClient, Timeouts
from loadgen.http.connection import Connection
from loadgen.records import FAILURE_CLASSES
from tests.engine.hostile_answers import corpus
from tests.engine.hostile_cases import EXPECTED, OK, Case, Door, address_of
from tests.engine.hostile_server import HostileServer, hostile_server
from tests.engine.scripted_shop import eventually

PARALLEL_COUNT = 300
SOON = Timeouts(connect_s=0.5, read_s=0.5, total_s=1.0)  # for answers that never end
EVENTUALLY = Timeouts(connect_s=20, read_s=20, total_s=40)  # for all others, so that a busy machine makes no timeout
SLACK_S = 15.0
FEWEST_BAD = 10_000
EVERY_NTH = 5  # of the corpus, to look for leaks
MOST_OTHER_GREENLETS = 40  # the resolver's threads have some, which come and go
MOST_KEPT_BYTES = 512  # per request: one received piece, one connection or one response each would be more


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one case went: the class of each sample in order, and what the same client read next, of a good answer."""

    number: int
    classes: tuple[str, ...]
    took_s: float
    raised: str
    afterwards: str

    @property
    def case(self) -> Case:
        return corpus()[self.number]

    @property
    def as_expected(self) -> bool:
        if self.raised or len(self.classes) != self.case.sample_count:
            return False
        return self.classes[-1] in self.case.expected and set(self.classes[:-1]) <= {OK}

    def __str__(self) -> str:
        case = self.case
        got = f"{', '.join(self.classes) or 'no sample'} {self.raised}in {self.took_s:.2f} s, then {self.afterwards!r}"
        return f"case {self.number} ({case.family}: {case.name}): expected {' or '.join(case.expected)}, got {got}"


@dataclass(frozen=True, slots=True)
class Shopping:
    """Plays cases against the server."""

    server: HostileServer
    trust: ssl.SSLContext

    def play(self, numbers: Sequence[int]) -> list[Outcome]:
        """Many at the same time, each by a shopper of its own; the slow ones first."""
        slow_first = sorted(numbers, key=lambda number: not corpus()[number].waits)
        return list(Pool(PARALLEL_COUNT).imap_unordered(self._play, slow_first))

    def client(self, door: Door, classes: list[str], **how: Any) -> ShopperClient:
        event = EventHook()  # type: ignore[no-untyped-call]
        event.add_listener(lambda **sample: classes.append(class_of(sample)))  # type: ignore[no-untyped-call]
        return ShopperClient(self.server.url(door), event, tls_context=self.trust, **how)

    def _play(self, number: int) -> Outcome:
        case, classes, raised = corpus()[number], list[str](), ""
        client = self.client(case.door, classes, source_address=address_of(number), timeouts=limits(case))
        began = time.monotonic()
        try:
            client.request("POST" if number % 2 else "GET", f"/case/{number}")
        except Exception as error:
            raised = f"{error!r} "
        took_s, found = time.monotonic() - began, tuple(classes)
        gevent.sleep(case.rest_s)
        door = Door.HTTPS if case.door is Door.HTTPS else Door.HTTP
        afterwards = client.get(f"{self.server.url(door)}/good/{number}", timeout=EVENTUALLY.total_s).text
        client.close()
        return Outcome(number, found, took_s, raised, afterwards)


def class_of(sample: dict[str, Any]) -> str:
    exception = sample["exception"]
    return OK if exception is None else failure_class(exception, sample["response"].status_code)


def limits(case: Case) -> Timeouts:
    return SOON if case.waits else EVENTUALLY


def numbers_of(family: str, door: Door) -> list[int]:
    return [number for number, case in enumerate(corpus()) if (case.family, case.door) == (family, door)]


@pytest.fixture(scope="module")
def shopping(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shopping]:
    with hostile_server(tmp_path_factory.mktemp("certificates")) as server:
        yield Shopping(server, server.certificates.context())


@dataclass(frozen=True, slots=True)
class Played:
    """The whole corpus, played once; `visits` is how often the server was asked for each case meanwhile."""

    outcomes: list[Outcome]
    visits: Counter[int]


@pytest.fixture(scope="module")
def played(shopping: Shopping) -> Played:
    before = shopping.server.visits()
    outcomes = shopping.play(range(len(corpus())))
    return Played(outcomes, shopping.server.visits() - before)


def told(wrong: Sequence[Outcome]) -> str:
    by_family = Counter(outcome.case.family for outcome in wrong)
    return "\n".join((f"{len(wrong)} wrong: {dict(by_family)}", *map(str, wrong[:40])))


def test_there_are_ten_thousand_bad_answers_of_every_family() -> None:
    assert sum(case.bad for case in corpus()) >= FEWEST_BAD
    assert {case.family for case in corpus()} == set(EXPECTED)
    assert {name for classes in EXPECTED.values() for name in classes} - {OK} <= set(FAILURE_CLASSES)


def test_every_bad_answer_is_exactly_one_failed_sample_of_its_class(played: Played) -> None:
    wrong = [outcome for outcome in played.outcomes if not outcome.as_expected]
    assert len(played.outcomes) == len(corpus())
    assert not wrong, told(wrong)


def test_every_request_ends_within_its_limit(played: Played) -> None:
    late = [outcome for outcome in played.outcomes if outcome.took_s > limits(outcome.case).total_s + SLACK_S]
    assert not late, told(late)


def test_no_limit_strikes_before_its_time(played: Played) -> None:
    timed_out = [outcome for outcome in played.outcomes if outcome.classes[-1:] == ("timeout",)]
    early = [outcome for outcome in timed_out if outcome.took_s < SOON.read_s * 0.9]
    assert not early, told(early)


@pytest.mark.parametrize(("family", "limit_s"), [("slow drip", SOON.total_s), ("silence", SOON.read_s)])
def test_drops_hold_off_the_limit_between_two_of_them_but_not_the_limit_as_a_whole(
    played: Played, family: str, limit_s: float
) -> None:
    took_s = median(outcome.took_s for outcome in played.outcomes if outcome.case.family == family)
    assert limit_s * 0.9 < took_s < limit_s + 2.0  # a busy machine delays some


def test_nothing_is_sent_twice_whatever_the_answer(played: Played) -> None:
    wrong = [outcome for outcome in played.outcomes if played.visits[outcome.number] != outcome.case.visit_count]
    assert not wrong, told(wrong)


def test_a_good_answer_is_read_rightly_after_any_bad_one(played: Played) -> None:
    wrong = [outcome for outcome in played.outcomes if outcome.afterwards != f"good {outcome.number}"]
    assert not wrong, told(wrong)


@pytest.mark.parametrize("door", [Door.HTTP, Door.HTTPS])
@pytest.mark.parametrize("family", ["late surplus", "silent close"])
def test_what_the_server_did_meanwhile_is_seen_before_the_next_request(
    shopping: Shopping, family: str, door: Door
) -> None:
    number, classes = numbers_of(family, door)[0], list[str]()
    already = shopping.server.ended_count(number)
    with closing(shopping.client(door, classes)) as client:
        client.get(f"/case/{number}")
        eventually(lambda: shopping.server.ended_count(number) > already)
        assert client.get("/good/1").text == "good 1"
    assert classes == [OK, OK]


@pytest.mark.parametrize("door", [Door.HTTP, Door.HTTPS])
def test_a_shopper_bears_more_bad_answers_than_it_may_have_connections(shopping: Shopping, door: Door) -> None:
    family = "cut off" if door is Door.HTTP else "tls cut off"
    numbers, classes = numbers_of(family, door)[:40], list[str]()
    with closing(shopping.client(door, classes, connections=3)) as client:
        gevent.joinall([gevent.spawn(client.get, f"/case/{number}") for number in numbers], raise_error=True)
        assert len(classes) == len(numbers)
        assert set(classes) <= set(EXPECTED[family])
        goods = [gevent.spawn(client.get, f"/good/{number}") for number in range(20)]
        gevent.joinall(goods, raise_error=True)
    assert [good.value.text for good in goods] == [f"good {number}" for number in range(20)]


@dataclass(frozen=True, slots=True)
class Held:
    """What this process holds at an instant."""

    descriptor_count: int
    resident_bytes: int
    greenlet_count: int
    connection_count: int

    @classmethod
    def now(cls) -> "Held":
        gevent.sleep(0.1)  # finished greenlets are let go of in the hub's next turn
        gc.collect()
        process, objects = psutil.Process(), gc.get_objects()
        return cls(
            descriptor_count=process.num_fds(),
            resident_bytes=process.memory_info().rss,
            greenlet_count=sum(isinstance(each, greenlet.greenlet) and not each.dead for each in objects),
            connection_count=sum(isinstance(each, Connection) for each in objects),
        )


def test_bad_answers_leave_nothing_behind(shopping: Shopping) -> None:
    numbers = range(0, len(corpus()), EVERY_NTH)
    held = []
    for _ in range(5):  # the first is to warm up
        shopping.play(numbers)
        held.append(Held.now())
    assert {each.connection_count for each in held} == {0}
    assert {each.descriptor_count for each in held[1:]} == {held[0].descriptor_count}
    assert max(each.greenlet_count for each in held[1:]) <= held[0].greenlet_count + MOST_OTHER_GREENLETS
    # What leaks grows in every round; an allocator in some.
    growths = [after.resident_bytes - before.resident_bytes for before, after in pairwise(held)]
    assert min(growths) / (2 * len(numbers)) < MOST_KEPT_BYTES, growths
