"""plan.html of shops made by hand: whole, self-contained, nothing empty, everything escaped; and the answer."""

import re
from dataclasses import replace

import pytest

from analysis.bootstrap import NOTHING, Estimate
from analysis.planning.prices import Prices
from analysis.planning.shop_plan import plan
from analysis.planning.wishes import Wishes
from loadgen.objectives import Objective
from reports import plan_rows, plan_wording
from reports.plan import documents, html
from tests.analysis.planning.shops import measured_shop
from tests.recorded_run import MANIFEST
from tests.reports.test_html import Page

PRICES = Prices("<USD>", {"edge": 0.01, "shop": 0.04, "database": 0.10}, 0.05)
HOLDS = Objective(("response_time_ms", "all", "p95"), "<", 300.0)
BROKEN = Objective(("response_time_ms", "product", "p90"), "<", 50.0)
UNKNOWN = Objective(("response_time_ms", "checkout", "p95"), "<", 300.0)


def whole():
    """Everything that a plan can have: prices, objectives of every outcome, a peak."""
    return plan(MANIFEST, (HOLDS, BROKEN, UNKNOWN), measured_shop(), Wishes(peak_factor=3.0, prices=PRICES))


def bare():
    """No prices, no objectives, one tier, one size, nobody who counted connections or the generator."""
    shop = measured_shop({"shop": (5.0, 0.5)}, {"shop": 1.0})
    shop = replace(shop, generator_s=NOTHING, connections_per_worker=None, orders_per_session=0.0, response_ms={})
    return plan(replace(MANIFEST, edge=None), (), shop, Wishes(shoppers_per_h=[1000.0]))


@pytest.fixture(scope="module")
def pages():
    return {"whole": html(whole()), "bare": html(bare())}


@pytest.fixture(params=["whole", "bare"])
def page(request, pages):
    return pages[request.param]


def test_tags_are_balanced_identifiers_unique_and_links_lead_somewhere(page):
    parsed = Page(page)
    assert parsed.open == []
    assert len(parsed.identifiers) == len(set(parsed.identifiers))
    inside = {f"#{identifier}" for identifier in parsed.identifiers}
    assert [link for link in parsed.links if link not in inside and not link.startswith("data:")] == []
    assert {"script", "iframe", "object", "embed"}.isdisjoint(parsed.tags)
    assert re.findall(r"https?://[^\s<\"]+", page.replace("http://127.0.0.1:8080", "")) == []


def test_no_section_is_empty_and_no_number_is_missing(page):
    parsed = Page(page)
    assert [name for name, text in parsed.sections.items() if len(text.split()) < 4] == []
    words = re.sub(r"<svg.*?</svg>|<style.*?</style>", "", page, flags=re.DOTALL)
    assert re.findall(r"\b(?:nan|NaN|None|inf|Undefined)\b", words) == []


def test_what_nobody_asked_for_or_measured_is_left_out_or_said(pages):
    assert list(Page(pages["whole"]).sections) == [
        "sizes", "load", "objectives", "tiers", "money", "measured", "assumptions", "method"
    ]  # fmt: skip
    sections = Page(pages["bare"]).sections
    assert "money" not in sections
    assert "No objective bounds a percentile of response times" in sections["objectives"]
    assert "Database" not in pages["bare"]
    assert pages["bare"].count("<svg") == pages["whole"].count("<svg") == 2


def test_a_name_from_a_file_is_escaped(pages):
    assert "<USD>" not in pages["whole"]
    assert "&lt;USD&gt;" in pages["whole"]


def test_the_same_plan_gives_the_same_bytes(tmp_path):
    first, second = documents(tmp_path, whole()), documents(tmp_path, whole())
    assert first == second
    assert sorted(path.name for path in first) == ["plan.html", "plan.json"]


def test_the_answer_for_one_size_names_every_tier():
    one = plan(MANIFEST, (HOLDS,), measured_shop(), Wishes(shoppers_per_h=[180_000.0], peak_factor=2.0, prices=PRICES))
    assert plan_wording.answer(one).startswith(
        "For 180,000 shoppers per hour (750 orders a minute), 2 times as many at the peak, it takes 19 workers: "
        "1 of edge, 15 of shop, 3 of database, <USD> 3,949 a month ("
    )
    assert plan_wording.answer(one).endswith("; the tier shop is full first.")


def test_the_answer_for_several_sizes_names_the_smallest_and_the_largest():
    several = plan(MANIFEST, (), measured_shop(), Wishes(shoppers_per_h=[360.0, 1_000_000.0]))
    # at the largest 5,556 requests a second keep 1.1, 27.8 and 5.6 workers busy
    assert plan_wording.answer(several) == (
        "From 360 to 1,000,000 shoppers per hour it takes 3 to 50 workers; of the largest, the tier shop is full first."
    )


def test_every_objective_has_its_outcome_in_words():
    told = [(label, outcome) for label, outcome, _ in plan_wording.objectives(whole())]
    assert told == [
        ("p95 response time, all requests < 300\u00a0ms", "pass"),
        ("p90 response time, product < 50\u00a0ms", "fail"),
        ("p95 response time, checkout < 300\u00a0ms", "unknown"),
    ]
    assert [plan_wording.verdict(planned) for planned in (whole(), bare())] == ["fail", "pass"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (0.04217, "0.0422"), (3.714, "3.71"), (42.46, "42.5"), (1240.4, "1,240"), (None, "–")],
)
def test_figures_of_any_size_are_short(value, text):
    assert plan_rows.figure(value) == text


def test_an_interval_that_says_nothing_new_is_left_out():
    assert plan_rows.interval(Estimate(8.0, 7.0, 9.0), plan_rows.figure) == "7–9"
    assert plan_rows.interval(Estimate(8.0, 8.0, 8.0), plan_rows.figure) == ""
    assert plan_rows.interval(Estimate(8.0), plan_rows.figure) == ""
