"""What goes round beside the shoppers, over real HTTP: when it sets out, when it ends, and what it finds."""

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import gevent
import pytest
from gevent.event import Event as Flag
from locust.env import Environment
from locust.event import EventHook

from loadgen.arrivals import Arrivals, ArrivalSource, Assignment, ClosedArrivals
from loadgen.batch import Second
from loadgen.config import Load, Scenario, Shoppers
from loadgen.recorder import Recorder
from loadgen.runclock import RunClock
from loadgen.schedule import Arrival, Share
from loadgen.session import Session, SessionCut
from scenarios.browser import Browser
from scenarios.reference_storefront import Catalogue, ReferenceStorefront
from scenarios.safety.rounds import OFTEN_S, SELDOM_S, SafetyRounds
from scenarios.safety.visitor_secret import VisitorSecrets, secret_of
from tests.engine.prompt_server import PromptServer
from tests.engine.scripted_pages import PageServer, Scripted, Visitor
from tests.engine.scripted_shop import ScriptedShop, eventually
from tests.scenarios import shop_pages

LOAD = Load(rate_per_s=20.0, duration_s=0.5, seed=5)
CLOSED = Load(model="closed", users=2, duration_s=0.5, seed=5)
CHECKS = ("deception", "method-override", "oversized-header", "poisoning")


class Run:
    """One worker's arrivals, whose shoppers look at one page each, with a companion of the test's own."""

    def __init__(
        self, shop: ScriptedShop, companion: Callable[[Session], Any], load: Load = LOAD, **assigned: Any
    ) -> None:
        self.recorder = Recorder(RunClock(time.time()))
        scenario = Scenario("tiny", "", "none", None, load, Shoppers(segments={"web": 1.0}), (), ())
        assignment = Assignment(scenario, shop.url, assigned.pop("share", Share()), 1000, self.recorder, **assigned)

        def open_session(arrival: Arrival, cut: Flag) -> Session:
            return Session(
                arrival.number,
                arrival.due_s,
                scenario=scenario,
                target=shop.url,
                recorder=self.recorder,
                cut=cut,
                request_event=EventHook(),
            )

        kind = ClosedArrivals if load.model == "closed" else Arrivals
        self.arrivals = kind(assignment, open_session, _look_at_one_page, companion)
        self._running = gevent.spawn(self.arrivals.run)

    def end(self, within_s: float = 30.0) -> list[Second]:
        """Close, see everybody off, and hand over what was recorded."""
        self.arrivals.close()
        assert self.arrivals.join(within_s)
        self.arrivals.finish()
        self._running.join(within_s)
        assert self._running.ready()
        return list(self.recorder.take())


def _look_at_one_page(session: Session) -> Iterator[float]:
    session.client.get("/", name="home")
    yield 0.1


def ask_for(path: str, pause_s: float = 0.01) -> Callable[[Session], Iterator[float]]:
    def companion(session: Session) -> Iterator[float]:
        while True:
            session.client.get(path, name="probe")
            yield pause_s

    return companion


def sums(seconds: list[Second]) -> tuple[Counter[str], Counter[str]]:
    """Of the companion's requests, and of the funnel."""
    probes: Counter[str] = Counter()
    funnel: Counter[str] = Counter()
    for second in seconds:
        probes.update(second.counters["probe"])
        for counts in second.funnel.values():
            funnel.update(counts)
    return probes, funnel


@pytest.mark.parametrize("load", [LOAD, CLOSED], ids=["open", "closed"])
def test_a_companion_goes_round_until_nobody_arrives_any_more(shop: ScriptedShop, load: Load) -> None:
    run = Run(shop, ask_for("/probe"), load)
    eventually(lambda: shop.counts["/probe"] > 5 and shop.counts["/"] > 1)
    probes, funnel = sums(run.end())
    asked = shop.counts["/probe"]
    gevent.sleep(0.05)
    assert shop.counts["/probe"] == asked == probes["request_count"]
    assert funnel["arrived_count"] == funnel["finished_count"] + funnel["cut_count"] == shop.counts["/"]


def test_a_companion_is_no_session(shop: ScriptedShop) -> None:
    run = Run(shop, ask_for("/probe"), Load(rate_per_s=0.0, duration_s=0.5, seed=5))
    eventually(lambda: shop.counts["/probe"] > 5)
    assert run.arrivals.in_progress_count == 0
    probes, funnel = sums(run.end())
    assert probes["request_count"] > 5
    assert funnel == Counter()


def test_only_the_first_worker_has_a_companion(shop: ScriptedShop) -> None:
    run = Run(shop, ask_for("/probe"), share=Share(1, 2))
    eventually(lambda: shop.counts["/"] > 1)
    run.end()
    assert shop.counts["/probe"] == 0


def test_the_end_waits_for_a_request_in_flight_and_for_no_thought(shop: ScriptedShop) -> None:
    run = Run(shop, ask_for("/slow/0.4", pause_s=60.0), Load(rate_per_s=0.0, duration_s=0.5, seed=5))
    eventually(lambda: shop.counts["/slow/0.4"] == 1)
    began = time.monotonic()
    probes, _ = sums(run.end())
    assert 0.2 < time.monotonic() - began < 30
    assert (probes["request_count"], probes["failed_count"]) == (1, 0)


def test_a_companion_that_does_not_end_does_not_keep_a_run_from_ending(shop: ScriptedShop) -> None:
    left: list[bool] = []

    def stubborn(session: Session) -> Iterator[float]:
        try:
            yield from ask_for("/slow/30")(session)
        finally:
            left.append(True)

    run = Run(shop, stubborn, Load(rate_per_s=0.0, duration_s=0.5, seed=5))
    eventually(lambda: shop.counts["/slow/30"] == 1)
    run.arrivals.close()
    assert not run.arrivals.join(0.05)
    began = time.monotonic()
    run.arrivals.finish()
    run._running.join(20)
    assert run._running.ready()
    assert (left, time.monotonic() - began < 20) == ([True], True)


def test_a_companion_that_breaks_is_one_warning(shop: ScriptedShop, caplog: pytest.LogCaptureFixture) -> None:
    def broken(session: Session) -> Iterator[float]:
        yield 0.01
        raise KeyError("price")

    run = Run(shop, broken)
    eventually(lambda: shop.counts["/"] > 1)
    seconds = run.end()
    _, funnel = sums(seconds)
    [warning] = [event for second in seconds for event in second.events]
    assert str(warning.detail["message"]).startswith(
        "what goes round beside the shoppers failed: KeyError: 'price' (test_companions.py:"
    )
    assert funnel["finished_count"] == funnel["arrived_count"] > 1


def test_a_companion_may_be_a_function_that_thinks(shop: ScriptedShop) -> None:
    def thinker(session: Session) -> None:
        session.client.get("/probe", name="probe")
        session.think(60.0)

    run = Run(shop, thinker)
    eventually(lambda: shop.counts["/probe"] == 1)
    probes, _ = sums(run.end())
    assert probes["request_count"] == 1


def test_a_companion_tidies_up_when_it_is_cut(shop: ScriptedShop) -> None:
    left: list[int] = []

    def tidy(session: Session) -> Iterator[float]:
        try:
            yield 60.0
        except SessionCut:
            left.append(session.number)
            raise

    run = Run(shop, tidy, Load(rate_per_s=0.0, duration_s=0.5, seed=5))
    gevent.sleep(0.05)
    run.end()
    assert left == [-1]


def test_a_companion_waits_while_the_master_is_silent(shop: ScriptedShop) -> None:
    asked: list[int] = []

    def may_arrive() -> bool:
        asked.append(1)
        return False

    run = Run(shop, ask_for("/probe"), may_arrive=may_arrive)
    eventually(lambda: len(asked) > 2)
    run.end()
    assert shop.counts["/probe"] == 0


def test_a_source_of_arrivals_has_no_companion_unless_it_says_so(shop: ScriptedShop) -> None:
    class Silent(ArrivalSource):
        def visit(self, session: Session) -> None:
            """Come and go."""

    scenario = Scenario("tiny", "", "none", None, LOAD, Shoppers(segments={"web": 1.0}), (), ())
    Silent.assignment = Assignment(scenario, shop.url, Share(), 1, Recorder(RunClock(time.time())))
    source = Silent(Environment())
    assert source.companion(Visitor(shop.url).session) is None


class ShopBehindCache:
    """A shop of real HTTP that knows its visitor, and the cache of `keeps` in front of it: None is no cache.

    A careful cache takes away what visitors say of hosts.
    """

    def __init__(self, keeps: Callable[[str, int], bool] | None, *, careful: bool = False) -> None:
        self.asked: list[tuple[str, str]] = []
        self.request_ids: list[str] = []
        self._keeps = keeps
        self._careful = careful
        self._kept: dict[str, tuple[int, bytes]] = {}
        self._server = PromptServer(("127.0.0.1", 0), self._serve, log=None, error_log=None)
        self._server.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        self._server.stop(timeout=0.5)

    def _serve(self, environ: dict[str, Any], start_response: Callable[..., object]) -> list[bytes]:
        method, query = environ["REQUEST_METHOD"], environ["QUERY_STRING"]
        url = environ["PATH_INFO"] + (f"?{query}" if query else "")
        self.asked.append((method, url))
        self.request_ids.append(environ.get("HTTP_X_REQUEST_ID", ""))
        if method == "POST":
            start_response("303 See Other", [("Location", "/cart"), ("Set-Cookie", "lonjak_cart=abc; Path=/")])
            return [b""]
        status, body = self._kept.get(url, (0, b""))
        word = "hit" if status else "fwd=uri-miss"
        if not status:
            status, body = self._make(url, environ)
        if self._keeps is not None and self._keeps(url, status):
            self._kept[url] = status, body
        signs = [("Cache-Status", f"edge; {word}")] if self._keeps is not None else []
        start_response(f"{status} Scripted", [("Content-Type", "text/html; charset=utf-8"), *signs])
        return [] if method == "HEAD" else [body]

    def _make(self, url: str, environ: dict[str, Any]) -> tuple[int, bytes]:
        if url.startswith("/product/"):
            refused = len(environ.get("HTTP_X_OVERSIZED", "")) > 8192 or "HTTP_X_HTTP_METHOD_OVERRIDE" in environ
            host = "own" if self._careful else environ.get("HTTP_X_FORWARDED_HOST", "own")
            return (400, b"bad request") if refused else (200, f"<a href='//{host}/'>".encode())
        mark = f' data-visitor="{secret_of("abc")}"' if "lonjak_cart=abc" in environ.get("HTTP_COOKIE", "") else ""
        return 200, f'<body data-page-kind="cart"{mark}>'.encode()


@pytest.fixture
def behind_cache() -> Iterator[Callable[..., ShopBehindCache]]:
    running: list[ShopBehindCache] = []

    def open_shop(keeps: Callable[[str, int], bool] | None, *, careful: bool = False) -> ShopBehindCache:
        running.append(ShopBehindCache(keeps, careful=careful))
        return running[-1]

    yield open_shop
    for server in running:
        server.stop()


class Lowest(Random):
    """Draws the first of all."""

    def choice(self, seq: Any) -> Any:
        return seq[0]


def play(shop: ShopBehindCache) -> tuple[list[Second], float]:
    """The first round without its pauses: what was recorded, and how long it would have been until the next."""
    visitor = Visitor(shop.url)
    visitor.session.random = Lowest()
    steps = SafetyRounds(visitor.session, sale_product_id=1).steps()
    assert 0.0 < next(steps) < 1.0
    until_next_s = next(pause_s for pause_s in steps if pause_s > 0.1)
    visitor.session.client.close()
    return list(visitor.recorder.take()), until_next_s


def found(seconds: list[Second]) -> dict[str, tuple[int, int]]:
    """How often each probe came to a conclusion, and to an alarm."""
    sums = {check: Counter[str]() for check in CHECKS}
    for second in seconds:
        for check in CHECKS:
            sums[check].update(second.safety.get(check, {}))
    return {check: (counts["checked_count"], counts["alarm_count"]) for check, counts in sums.items()}


def test_a_careful_edge_is_asked_everything_and_found_safe(behind_cache: Callable[..., ShopBehindCache]) -> None:
    shop = behind_cache(lambda url, status: url.startswith("/product/2?") and status == 200, careful=True)
    seconds, until_next_s = play(shop)
    probes, funnel = sums(seconds)
    assert found(seconds) == {
        "deception": (4, 0),
        "method-override": (2, 0),
        "oversized-header": (2, 0),
        "poisoning": (2, 0),
    }
    assert (len(shop.asked), probes["request_count"], probes["failed_count"]) == (21, 21, 0)
    assert [url for method, url in shop.asked if method == "POST"] == ["/cart/items"]
    assert 0.5 <= until_next_s <= OFTEN_S
    assert funnel == Counter()


def test_a_careless_edge_is_found_out_by_every_probe(behind_cache: Callable[..., ShopBehindCache]) -> None:
    seconds, _ = play(behind_cache(lambda url, status: True))
    assert found(seconds) == {
        "deception": (4, 4),
        "method-override": (2, 1),
        "oversized-header": (2, 1),
        "poisoning": (2, 1),
    }
    leaks = [event.detail for second in seconds for event in second.events if event.kind == "leak"]
    assert len(leaks) == 7
    assert all("abc" not in str(leak) and secret_of("abc") not in str(leak) for leak in leaks)


def test_rounds_are_rare_where_no_cache_shows_itself(behind_cache: Callable[..., ShopBehindCache]) -> None:
    seconds, until_next_s = play(behind_cache(None))
    assert list(found(seconds).values()) == [(4, 0), (2, 0), (2, 0), (2, 0)]
    assert OFTEN_S < until_next_s <= SELDOM_S


def test_a_shop_that_is_gone_is_no_leak(behind_cache: Callable[..., ShopBehindCache]) -> None:
    shop = behind_cache(lambda url, status: True)
    shop.stop()
    seconds, _ = play(shop)
    assert set(found(seconds).values()) == {(0, 0)}


def test_the_product_of_a_flash_sale_is_left_alone(behind_cache: Callable[..., ShopBehindCache]) -> None:
    shop = behind_cache(None)
    play(shop)
    products = {url.partition("?")[0] for _, url in shop.asked if url.startswith("/product/")}
    assert products == {"/product/2"}


def test_every_probe_has_an_id_of_its_own_that_no_shopper_has(behind_cache: Callable[..., ShopBehindCache]) -> None:
    shop = behind_cache(lambda url, status: True)
    play(shop)
    assert len(shop.request_ids) == len(set(shop.request_ids)) == len(shop.asked) > 15
    assert all(re.fullmatch(r"safety-[A-Za-z0-9-]{1,57}", given) for given in shop.request_ids)


class Tour:
    """Rounds at several points of presence, without their pauses."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *points: str) -> None:
        monkeypatch.setattr(Session, "points_of_presence", points)
        self._visitor = Visitor(points[0])
        self._visitor.session.random = Lowest()
        self._steps = SafetyRounds(self._visitor.session).steps()
        next(self._steps)

    def next_round(self) -> float:
        """Returns the seconds until the one after it."""
        return next(pause_s for pause_s in self._steps if pause_s > 0.1)

    def hang_up(self) -> None:
        self._visitor.session.client.close()

    def end(self) -> list[Second]:
        self.hang_up()
        return list(self._visitor.recorder.take())


def test_points_of_presence_are_visited_in_turn_a_whole_round_at_each(
    behind_cache: Callable[..., ShopBehindCache], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (behind_cache(lambda url, status: False, careful=True) for _ in range(2))
    tour = Tour(monkeypatch, first.url, second.url)
    counts = []
    for _ in range(4):
        tour.next_round()
        counts.append((len(first.asked), len(second.asked)))
    assert counts == [(21, 0), (21, 21), (41, 21), (41, 41)]
    for shop in (first, second):  # a cart at each, whose first round is not what the other's was
        assert [url for method, url in shop.asked if method == "POST"] == ["/cart/items"]
        assert "/cart" in {url for _, url in shop.asked}
    assert found(tour.end())["deception"] == (16, 0)


def test_a_leak_at_the_second_point_of_presence_names_its_host(
    behind_cache: Callable[..., ShopBehindCache], monkeypatch: pytest.MonkeyPatch
) -> None:
    careful = behind_cache(lambda url, status: False, careful=True)
    careless = behind_cache(lambda url, status: True)
    tour = Tour(monkeypatch, careful.url, careless.url)
    for _ in range(2):
        tour.next_round()
    leaks = [event.detail for second in tour.end() for event in second.events if event.kind == "leak"]
    assert len(leaks) == 7
    assert {leak["key"] for leak in leaks} == {
        careless.url.removeprefix("http://") + str(leak["url"]) for leak in leaks
    }
    assert all(str(leak["url"]).startswith("/") for leak in leaks)


def test_a_point_of_presence_that_is_down_is_no_leak_and_the_next_one_is_visited_as_usual(
    behind_cache: Callable[..., ShopBehindCache], monkeypatch: pytest.MonkeyPatch
) -> None:
    well, lost = (behind_cache(lambda url, status: False, careful=True) for _ in range(2))
    tour = Tour(monkeypatch, well.url, lost.url)
    for _ in range(2):
        tour.next_round()
    tour.hang_up()
    lost.stop()
    pauses = [tour.next_round() for _ in range(4)]
    assert (len(well.asked), len(lost.asked)) == (21 + 20 + 20, 21)
    assert all(0.5 <= pause_s <= OFTEN_S for pause_s in pauses)
    assert found(tour.end()) == {
        "deception": (16, 0),
        "method-override": (8, 0),
        "oversized-header": (8, 0),
        "poisoning": (8, 0),
    }


@pytest.fixture
def pages() -> Iterator[PageServer]:
    running = PageServer()
    running.answer(
        "GET", "/static/shop.1a.css", Scripted(f'a{{}} /* data-visitor="{"a" * 16}" */', content_type="text/css")
    )
    running.answer("GET", "/", Scripted(shop_pages.home(), kind="home", cache_control="public, max-age=0, s-maxage=60"))
    yield running
    running.stop()


def visit_home(pages: PageServer, fragment: str) -> list[Second]:
    """A shopper whose cart is known looks at the front page."""
    visitor = Visitor(pages.url)
    visitor.session.client.cookies.set("lonjak_cart", "abc", "127.0.0.1")
    pages.answer("GET", "/fragment/header", Scripted(fragment, kind="fragment"))
    browser = Browser(visitor.session, pages.url, inspector=VisitorSecrets(visitor.session))
    ReferenceStorefront(visitor.session, browser, Catalogue(), 8.0).home()
    visitor.session.client.close()
    return list(visitor.recorder.take())


def with_secret(token: str) -> str:
    return shop_pages.fragment(0).replace("<div ", f'<div data-visitor="{secret_of(token)}" ')


def test_pages_and_fragments_are_searched_for_secrets_and_files_are_not(pages: PageServer) -> None:
    seconds = visit_home(pages, with_secret("abc"))
    assert len(pages.asked) == 3
    counts = Counter[str]()
    for second in seconds:
        counts.update(second.safety["visitor"])
    assert counts == {"checked_count": 2}


def test_a_header_of_somebody_else_is_a_leak(pages: PageServer) -> None:
    seconds = visit_home(pages, with_secret("other"))
    [leak] = [event.detail for second in seconds for event in second.events if event.kind == "leak"]
    assert (leak["check"], leak["url"], leak["page_kind"]) == ("visitor", "/fragment/header", "fragment")


def test_what_a_form_is_answered_is_searched(pages: PageServer) -> None:
    visitor = Visitor(pages.url)
    refusal = shop_pages.error("cart", "out_of_stock", 409).replace("<body ", f'<body data-visitor="{"b" * 16}" ')
    pages.answer("POST", "/cart/items", Scripted(refusal, 409, "cart"))
    browser = Browser(visitor.session, pages.url, inspector=VisitorSecrets(visitor.session))
    browser.send("cart", "/cart/items", {}, lambda answer: answer)
    visitor.session.client.close()
    assert [event.kind for second in visitor.recorder.take() for event in second.events] == ["leak"]
