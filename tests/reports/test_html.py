"""report.html as a browser would read it: whole, self-contained, nothing empty, everything escaped."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from analysis.audit import CHECKS
from analysis.run import analyse
from loadgen.objectives import Objective
from reports import documents, html, wording
from tests.analysis.little_shop import LittleShop
from tests.recorded_run import STARTED_AT, History, edge_lab, foreign_to_every_log, ordinary

VOID = {"meta", "link", "br", "img", "input", "hr", "wbr"}
TIME_CHARTS = ("throughput", "response-times", "heat-map", "orders", "origin-load", "hit-ratio", "cpu", "lags")


class Page(HTMLParser):
    """Tags in balance, identifiers, links and texts of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.identifiers: list[str] = []
        self.links: list[str] = []
        self.sections: dict[str, str] = {}
        self._section = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        self._note(tag, dict(attrs))

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self._note(tag, dict(attrs))

    def _note(self, tag, attributes):
        if "id" in attributes:
            self.identifiers.append(attributes["id"])
        if tag == "section":
            self._section = attributes["id"]
        self.links += [attributes[name] for name in ("href", "src", "xlink:href", "action") if name in attributes]

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> without a beginning"
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self._section and self.open and self.open[-1] not in ("h2", "h3", "text", "style"):
            self.sections[self._section] = self.sections.get(self._section, "") + data


def faulty() -> History:
    """A history in which a worker dies at 25.25 s and shoppers suffer until 31 s."""
    history = ordinary()
    history.event(25.25, "fault_started", fault="kill-worker", tier="shop", role="shop-1", pid=9)
    history.event(27.0, "fault_ended", fault="kill-worker", tier="shop", role="shop-1", pid=10)
    history.outage(26, 31)
    return history


def foreign() -> History:
    """A locustfile of somebody else's against somebody else's shop: no sessions, no tiers, no orders, no cache."""
    history = ordinary()
    plan = replace(history.manifest.plan, model="locustfile", rate_per_s=0.0, warmup_s=0.0, duration_s=60.0)
    history.manifest = replace(history.manifest, edge=None, plan=plan, foreign_locustfile="shop.py")
    history.funnel, history.tiers, history.origin, history.ledger, history.truth = [], [], [], [], None
    history.cacheable.clear()
    return history


def oversold() -> History:
    """A flash sale that broke an invariant here and there, and left one open."""
    history = ordinary()
    shop = LittleShop(since=STARTED_AT)
    sale = shop.offer_sale(4, units=9, limit=1)
    for cart in range(5):
        shop.buy({4: 2}, kept=(shop.hold(sale, f"cart {cart}", 2),))
    shop.buy({1: 1}, ends="charged", told="unknown")
    shop.stock[1]["on_hand"] -= 1
    history.ledger, history.truth = shop.ledger, shop.books
    for row in history.funnel:
        row["paid_count"] = 0  # these shoppers are not those of the funnel
    return history


def miscounted() -> History:
    """A sound edge without leaks, whose shop logged a hundred requests that nobody sent."""
    history = edge_lab()
    history.events = [event for event in history.events if event.kind != "leak"]
    history.safety = [row for row in history.safety if not row["alarm_count"]]
    history.origin[0]["request_count"] += 100
    return history


def silent() -> History:
    """A run that recorded nothing at all."""
    history = foreign()
    history.ok_ms.clear()
    history.loop_lag_ms.clear()
    history.schedule_lag_ms.clear()
    return history


def render(history, tmp_path):
    return html.render(analyse(history.write(tmp_path)))


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The page of each history by name, drawn once: drawing takes a second."""
    histories = {
        "ordinary": ordinary,
        "faulty": faulty,
        "foreign": foreign,
        "oversold": oversold,
        "edge": edge_lab,
        "miscounted": miscounted,
        "silent": silent,
    }
    return {name: render(history(), tmp_path_factory.mktemp(name)) for name, history in histories.items()}


@pytest.fixture(params=["ordinary", "faulty", "foreign", "oversold", "edge", "miscounted", "silent"])
def page(request, pages):
    return pages[request.param]


def test_tags_are_balanced_and_identifiers_unique(page):
    parsed = Page(page)
    assert parsed.open == []
    assert len(parsed.identifiers) == len(set(parsed.identifiers))


def test_nothing_is_loaded_and_no_link_is_dead(page):
    parsed = Page(page)
    inside = {f"#{identifier}" for identifier in parsed.identifiers}
    assert [link for link in parsed.links if link not in inside and not link.startswith("data:")] == []
    assert {"script", "iframe", "object", "embed"}.isdisjoint(parsed.tags)
    assert "@import" not in page
    assert re.findall(r"url\((?!#)", page) == []
    assert set(re.findall(r"url\((#[^)]+)\)", page)) <= inside
    assert re.findall(r"https?://[^\s<\"]+", page.replace("http://127.0.0.1:8080", "")) == []


def test_no_section_is_empty(page):
    parsed = Page(page)
    assert len(parsed.sections) == 12
    assert [name for name, text in parsed.sections.items() if len(text.split()) < 4] == []


def test_no_number_is_missing_in_words(page):
    assert (
        re.findall(
            r"\b(?:nan|NaN|None|inf|Undefined)\b", re.sub(r"<svg.*?</svg>|<style.*?</style>", "", page, flags=re.DOTALL)
        )
        == []
    )


def test_every_time_chart_shades_the_fault_in_both_widths(pages):
    drawings = re.findall(r"<svg.*?</svg>", pages["faulty"], flags=re.DOTALL)
    of_time = [drawing for drawing in drawings if "0:30" in drawing]
    assert len(of_time) == 2 * len(TIME_CHARTS)
    assert all("var(--fault)" in drawing and "kill worker shop-1" in drawing for drawing in of_time)


def test_every_chart_has_a_sentence_for_those_who_cannot_see_it(page):
    assert page.count("<figure") == len(re.findall(r'<figure class="chart" role="img" aria-label="[^"]{30,}"', page))


def test_a_curve_without_a_value_is_not_drawn(pages):
    assert "<svg" not in pages["silent"]
    assert pages["foreign"].count("<svg") == 2 * len(("throughput", "response-times", "heat-map", "ranges", "lags"))


def test_what_is_absent_is_said_in_a_sentence(pages):
    sections = Page(pages["foreign"]).sections
    assert "no funnel" in sections["orders"]
    assert "nothing to audit" in sections["audit"]
    assert "No response carried a Cache-Status" in sections["cache"]
    assert "No process was observed" in sections["tiers"]
    assert "Nothing was broken on purpose" in sections["faults"]


def texts(markup: str) -> list[str]:
    """What stands between the tags."""
    return [text.replace("\u00a0", " ") for part in re.split(r"<[^>]+>", markup) if (text := part.strip())]


def chapter(page: str) -> str:
    """The chapter on edge and caches."""
    return re.search(r'<section id="cache">(.*?)</section>', page, flags=re.DOTALL)[1]


def network_answers(page: str) -> list[list[str]]:
    """Its opening: question, sentence, mark and word."""
    table = re.search(r'<table class="answers">(.*?)</table>', chapter(page), flags=re.DOTALL)[1]
    return [texts(row) for row in re.findall(r"<tr>(.*?)</tr>", table, flags=re.DOTALL)]


def rows_below(page: str, heading: str) -> dict[str, list[str]]:
    """The rows of the first table below a heading of that chapter, by their first cell."""
    below = chapter(page).split(f"<h3>{heading}</h3>")[1]
    body = re.search(r"<tbody>(.*?)</tbody>", below, flags=re.DOTALL)[1]
    rows = [texts(row) for row in re.findall(r"<tr.*?</tr>", body, flags=re.DOTALL)]
    return {first: rest for first, *rest in rows}


def test_the_chapter_on_the_edge_answers_first(pages):
    assert network_answers(pages["edge"]) == [
        [
            "What did the edge save?",
            "Caches answered 64.8 % of shoppers&#39; requests. The shop answered 565 requests that shoppers waited "
            "for, and 120 more behind something stale: an offload of 61.3 %.",
        ],
        [
            "Is it safe?",
            "A personal page was given to somebody else: 2 of 360 checks, first /cart. A cache kept a personal page "
            "under an address that looks public: 2 of 6 checks, first /account/x.css.",
            "✗",
            "no",
        ],
        [
            "Do the numbers agree?",
            "Of 1,560 requests, caches answered 929, the edge itself answered 60, 565 went on to the shop and 6 got no "
            "answer. The shop&#39;s own log has 565 that somebody waited for: it adds up.",
            "✓",
            "yes",
        ],
    ]


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (edge_lab, "of cacheable requests; origin offload 61.3 %"),
        (foreign_to_every_log, "of cacheable requests; caches answered 80 % of all"),
    ],
)
def test_the_headline_says_whether_caches_or_the_shops_log_were_asked(tmp_path, make, told):
    assert told in render(make(), tmp_path).replace("\u00a0", " ")


def test_where_no_cache_stands_no_offload_is_told(tmp_path):
    history = ordinary()
    history.cacheable.clear()
    assert network_answers(render(history, tmp_path))[0][1].endswith(
        "The shop answered 300 requests that shoppers waited for."
    )


def test_every_cache_has_its_hit_ratio_and_what_it_is_made_of(pages):
    rows = rows_below(pages["edge"], "Each cache by itself")
    assert rows == {
        "lonjak-pop-1": ["640", "80 %", "80 %", "240", "40", "40", "80", "0", "0", "200", "40"],
        "lonjak-pop-2": ["394", "69.5 %", "69.5 %", "234", "40", "0", "40", "80", "0", "0", "0"],
        "lonjak-shield": ["400", "40 %", "40 %", "80", "0", "0", "80", "0", "40", "200", "0"],
    }


def test_ages_bursts_and_late_pages_are_told(pages):
    page = pages["edge"]
    assert rows_below(page, "How old the answers were")["stale"] == ["200", "11 s", "11 s", "11 s"]
    assert rows_below(page, "What an expiry cost")["product"] == ["180", "150", "1.20", "6"]
    assert (
        "Of 2 changes of price or stock to products that were looked at later, 2 were seen late: old pages were "
        in (chapter(page))
    )


def test_every_leak_names_page_key_and_what_the_caches_said(pages):
    leaks = re.search(r'<ul class="leaks">(.*?)</ul>', chapter(pages["edge"]), flags=re.DOTALL)[1]
    first = re.findall(r"<li>(.*?)</li>", leaks, flags=re.DOTALL)[0]
    assert texts(first) == [
        "0:22",
        "/cart",
        "(cart): the page carries the secret of visitor 3, and visitor 7 had asked for it",
        "key 127.0.0.1:8080/cart",
        "Cache-Status: lonjak-shield; hit, lonjak-pop-1; fwd=uri-miss; stored",
        "Cache-Control: max-age=60",
    ]
    assert leaks.count("<li>") == 4


def test_numbers_that_do_not_agree_are_told_at_the_top(pages):
    warning = re.search(r'<p class="warning">(.*?)</p>', pages["miscounted"].split("<main>")[0], flags=re.DOTALL)[1]
    assert texts(warning)[0] == "The numbers do not agree."
    assert texts(warning)[1].endswith(
        "665 that somebody waited for: 100 more, of which 72 are not explained: "
        "of 28 requests around the fault answers and log lines may be lost."
    )
    assert network_answers(pages["miscounted"])[2][-2:] == ["?", "not explained"]
    assert 'class="warning"' not in pages["edge"]


def test_checks_that_found_nothing_are_told_as_such(pages):
    # 2 of 360 pages, and 2 of 6 probes, are those of the seconds with an alarm.
    told = network_answers(pages["miscounted"])[1]
    assert told == ["Is it safe?", "Nothing was found where it does not belong, in 1,390 checks.", "✓", "yes"]


@pytest.mark.parametrize(
    ("checks", "told"),
    [
        ([], "No page was searched for what identifies another visitor: a leak would have gone unseen."),
        (
            ["poisoning"],
            "3 other checks found nothing, but no page was searched for what identifies another visitor: a leak "
            "would have gone unseen.",
        ),
    ],
)
def test_a_cache_whose_pages_nobody_searched_is_not_called_safe(tmp_path, checks, told):
    history = ordinary()
    for check in checks:
        history.checked(20, check, 3)
    assert network_answers(render(history, tmp_path))[1] == ["Is it safe?", told, "?", "not checked"]


def test_a_cache_without_the_shops_log_says_what_is_not_known(tmp_path):
    told = network_answers(render(foreign_to_every_log(), tmp_path))[0][1]
    assert told.endswith("The shop&#39;s own log is not there, so that what reached it is not known.")


def invariants(page: str) -> list[list[str]]:
    """The rows of the audit's table: statement, notes, how much was checked, outcome."""
    section = re.search(r'<section id="audit">(.*?)</section>', page, flags=re.DOTALL)[1]
    rows = re.findall(r"<tr><td.*?</tr>", section, flags=re.DOTALL)
    return [[text for part in re.split(r"<[^>]+>", row) if (text := part.strip())] for row in rows]


def test_broken_invariants_come_first_with_examples_then_open_ones(pages):
    rows = invariants(pages["oversold"])
    assert rows[:5] == [
        [
            "No product was sold more often than it was there",
            "1 product with fewer than no units on the shelf: product 4; "
            "1 flash sale sold beyond its units: sale 11 of product 4.",
            "2 products",
            "✗",
            "failed",
        ],
        [
            "Every unit of stock is accounted for",
            "1 product whose units on hand, reserved and sold are not those that came in: product 1; "
            "1 product with a break in the ledger of stock (a lost update): product 1.",
            "2 products",
            "✗",
            "failed",
        ],
        [
            "Nobody got more of a flash sale than each may have",
            "5 customers with more of a flash sale than each may have: cart 0 in sale 11, cart 1 in sale 11, "
            "cart 2 in sale 11 and 2 more.",
            "5 customers",
            "✗",
            "failed",
        ],
        [
            "Every charge has its order, and every order its charge",
            "1 charge captured for an order that is still pending: order 506.",
            "6 charges",
            "?",
            "unknown",
        ],
        ["Every order that a shopper was told of is paid, and no other is", "6 orders", "✓", "held"],
    ]
    assert rows[-1] == ["No coupon or gift card was spent twice", "–", "–", "not checked"]


def test_the_answer_names_what_broke_first_when_no_order_was_lost(pages):
    answer = re.search(r'<h1 class="answer">([^<]*)</h1>', pages["oversold"])[1]
    assert "failed the audit (1 product with fewer than no units on the shelf: product 4)." in answer


def test_every_invariant_is_told_in_plain_words():
    assert list(wording.INVARIANTS) == [check.__module__.rpartition(".")[2] for check in CHECKS]


def test_the_answer_comes_first_and_in_one_sentence(pages):
    answer = re.search(r'<h1 class="answer">([^<]*)</h1>', pages["faulty"])[1]
    assert answer.replace("\u00a0", " ") == (
        "With up to 1 shopper arriving per second, the shop missed 1 of 2 objectives (failed requests, all requests: "
        "12.5 %, not &lt; 1 %), recovered from the fault at 0:25 (kill worker shop-1) in 5.8 s, and lost no "
        "acknowledged order."
    )


def test_markup_in_foreign_names_stays_text(tmp_path):
    history = faulty()
    evil = "<img/src=x/onerror=alert(1)>&'\""
    history.ok_ms[20, evil] = [5.0] * 200
    history.failed[20, evil] = {"content": 3}
    history.cacheable[20, evil] = (9, 3)
    history.funnel.append({"elapsed_s": 20, "segment": evil, "arrived_count": 1})
    history.tiers.append({"elapsed_s": 20, "tier": evil, "role": evil, "pid": 1, "cpu_ratio": 0.5})
    history.origin.append({"elapsed_s": 20, "tier": evil, "page_kind": evil, "cache_status": evil, "request_count": 1})
    history.said(20, evil, evil, hit=1)
    history.checked(20, evil, 2, 1)
    history.event(20, "leak", check=evil, url=evil, page_kind=evil, cache_status=evil, key=evil, told=evil)
    history.origin_keys.append({"tier": "shop", "page_kind": evil, "key": evil, "request_count": 1, "burst_count": 1})
    history.event(21, "warning", message=evil)
    history.event(22, "fault_started", fault=evil, role=evil)
    history.manifest = replace(history.manifest, scenario=evil, command=evil, host={evil: evil}, versions={evil: evil})
    run = history.write(tmp_path)
    run.replace(documents(run, analyse(run)))
    parsed = Page(run.report.read_text())
    assert "img" not in parsed.tags
    assert parsed.sections["cache"].count(evil) >= 5
    assert evil in parsed.sections["latency"]
    assert "<img" not in run.summary_md.read_text()


@pytest.mark.parametrize(
    ("name", "label", "value"),
    [
        ("cache.by_cache.lonjak-shield.all.request_hit_ratio", "hit ratio of lonjak-shield, all pages", "40 %"),
        ("cache.by_cache.pop.home.byte_hit_ratio", "hit ratio in bytes of pop, home", "40 %"),
        ("cache.origin.offload_ratio", "origin offload, by the shop's own log", "40 %"),
        ("safety.alarm_count", "leaks", "0.4"),
    ],
)
def test_objectives_on_caches_have_words_and_units(name, label, value):
    objective = Objective(tuple(name.split(".")), "<", 0.4)
    assert wording.objective_label(objective) == label
    assert wording.objective_value(objective, 0.4).replace("\u00a0", " ") == value


def test_the_same_run_gives_the_same_bytes(tmp_path, pages):
    assert render(faulty(), tmp_path) == pages["faulty"]


def test_percentiles_without_enough_samples_are_not_shown(tmp_path):
    history = ordinary()
    history.ok_ms[20, "login"] = [77.0] * 30
    row = re.search(r'<th scope="row">login</th>(.*?)</tr>', render(history, tmp_path), flags=re.DOTALL)[1]
    # p50, p90 and p95 stand on 30 samples; p99 needs 100 and p99.9 needs 1,000.
    assert re.findall(r">([^<\s]+)</td>", row) == ["30", "77", "77", "77", "–", "–", "77"]
