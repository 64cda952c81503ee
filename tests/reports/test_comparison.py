"""report.html and summary.md of a study made by hand: whole, self-contained, nothing empty, everything escaped."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from analysis.comparison import compare
from loadgen.edge_comparison import StudyManifest
from reports import comparison as documents
from reports import comparison_wording as wording
from tests.recorded_run import History
from tests.recorded_study import Study, history_of, two_edges
from tests.reports.test_html import Page

# What `lonjak report` would show of a study with everything that a study can have.
EXPECTED = """\
## ✅ Pass: edges compared, evening

Take nginx: catalogue pages come in 20 ms (20–20) at p95, half of them in 20 ms; with nginx-pass in 60 ms (60–60) and \
60 ms, 40 ms later at p95; the shop answers 80 % fewer requests. nginx-pass is slower.

| | nginx | nginx-pass |
|---|---:|---:|
| verdict | ✅ pass | ✅ pass |
| alarms for leaks | ✅ none (of 600) | – not looked |
| median of catalogue pages, ms | 20 (20–20) | 60 (60–60) |
| p95 of catalogue pages, ms | 20 (20–20) | 60 (60–60) |
| origin offload | 80 % (80–80) | – |
| origin requests per second | 4 (4–4) | 20 (20–20) |
| CPU per 1,000 requests, s | 25.00 (25.00–25.00) | 25.00 (25.00–25.00) |
| failed requests | 0 % (0) | 0 % (0) |
| orders | 15 | 15 |

- There was one run of each profile: the intervals show how seconds of a run differ, not how runs do; --repeats 3 would.
- Nobody looked for leaks of nginx-pass.

Up to 1 shopper per second for 50 s, seed 7, 2026-11-23 08:15:00 UTC. \
Repeat with: lonjak edge compare evening --profiles nginx,nginx-pass --seed 7
"""


def whole() -> Study:
    """A study in which caches told all that they can."""
    study = two_edges()
    history = study.histories["nginx"][0]
    for second in range(60):
        history.said(second, "lonjak-nginx", hit=16, miss=4)
        history.tagged_ms[second, "age/product/hit"] = [2500.0] * 16
        history.checked(second, "visitor", 10)
    keys = {"tier": "shop", "page_kind": "product", "key": "/product/1"}
    history.origin_keys = [{**keys, "request_count": 15, "burst_count": 10, "largest_burst_count": 4}]
    return study


def broken() -> Study:
    """One profile leaked, one was too slow, one could not be run, and the last loaded the machine too much."""
    leaking, slow = history_of("nginx", ms=20.0, origin_per_s=4), history_of("direct", ms=900.0, origin_per_s=20)
    leaking.checked(20, "visitor", 40, alarms=3)
    slow.tiers = [{**row, "cpu_ratio": 0.9} for row in slow.tiers]
    return Study({"nginx": [leaking], "direct": [slow]}, problems={"varnish": "varnishd | ended\nat its start."})


def nothing() -> Study:
    """Parts that recorded nothing but that they were."""
    return Study({name: [History(objectives=None)] for name in ("nginx", "direct")})


STUDIES = {"two edges": two_edges, "whole": whole, "broken": broken, "nothing": nothing}


def html(study: Study, folder: Path) -> str:
    return documents.html(compare(study.write(folder)))


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return {name: html(make(), tmp_path_factory.mktemp("study")) for name, make in STUDIES.items()}


@pytest.fixture(params=list(STUDIES))
def page(request: pytest.FixtureRequest, pages: dict[str, str]) -> str:
    return pages[request.param]


def rows(page: str, section: str) -> dict[str, list[str]]:
    """The rows of a section's tables by their label: each cell's texts in one."""
    text = re.search(rf'<section id="{section}">(.*?)</section>', page, flags=re.DOTALL)
    assert text
    found = {}
    for row in re.findall(r"<tr[^>]*><th scope=\"row\">(.*?)</tr>", text[1], flags=re.DOTALL):
        label, *cells = re.split(r"</th>|</td>", row)
        found[_text(label)] = [_text(cell) for cell in cells if _text(cell)]
    return found


def _text(markup: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", markup).replace("\u00a0", " ").split())


def test_tags_are_balanced_and_identifiers_unique(page: str) -> None:
    parsed = Page(page)
    assert parsed.open == []
    assert len(parsed.identifiers) == len(set(parsed.identifiers))


def test_nothing_is_loaded_and_links_lead_within_the_page_or_to_the_parts(page: str) -> None:
    parsed = Page(page)
    inside = {f"#{identifier}" for identifier in parsed.identifiers}
    outside = [link for link in parsed.links if link not in inside and not link.startswith("data:")]
    assert [link for link in outside if not re.fullmatch(r"parts/\d\d-[a-z-]+/report\.html", link)] == []
    assert {"script", "iframe", "object", "embed"}.isdisjoint(parsed.tags)
    assert re.findall(r"https?://[^\s<\"]+", page) == []


def test_no_section_is_empty(page: str) -> None:
    sections = Page(page).sections
    assert list(sections) == ["overview", "uncertain", "latency", "caches", "safety", "cpu", "runs", "method"]
    assert [name for name, text in sections.items() if len(text.split()) < 4] == []


def test_no_number_is_missing_in_words(page: str) -> None:
    words = re.sub(r"<svg.*?</svg>|<style.*?</style>", "", page, flags=re.DOTALL)
    assert re.findall(r"\b(?:nan|NaN|None|inf|Undefined)\b", words) == []


def test_every_chart_has_a_sentence_and_is_drawn_in_both_widths(pages: dict[str, str]) -> None:
    assert len(re.findall(r'<figure class="chart" role="img" aria-label="[^"]{30,}"', pages["whole"])) == 3
    assert pages["whole"].count("<svg") == 6
    assert "<svg" not in pages["nothing"]


def test_each_profile_is_a_column_and_each_figure_has_its_interval_below(pages: dict[str, str]) -> None:
    found = rows(pages["whole"], "overview")
    assert found["p95 of catalogue pages, ms"] == ["20 20–20", "60 60–60"]
    assert found["origin offload"] == ["80 % 80–80", "–"]
    assert found["alarms for leaks"] == ["✓ none of 600", "– not looked"]


def test_caches_show_what_they_told(pages: dict[str, str]) -> None:
    found = rows(pages["whole"], "caches")
    assert found["hits of lonjak-nginx"][1:] == ["–"]
    assert found["age of what a cache gave, p95, s"] == ["2.5 2.5–2.5", "–"]
    assert found["fetches per expiry"] == ["1.50 at most 4", "–"]


def test_runs_stand_in_their_order_with_their_share_of_the_machine(pages: dict[str, str]) -> None:
    found = rows(pages["broken"], "runs")
    assert list(found) == ["01-nginx", "02-direct", "03-varnish"]
    assert found["02-direct"][1:3] == ["90 % above 30 %", "90 % above 30 %"]
    assert found["03-varnish"][-1] == "varnishd | ended at its start."


def test_the_recommended_profile_is_marked(pages: dict[str, str]) -> None:
    assert set(re.findall(r'<th class="taken">([^<]*)</th>', pages["whole"])) == {"nginx"}
    assert 'class="taken"' not in pages["broken"]


def test_when_nothing_can_be_recommended_the_answer_says_why(pages: dict[str, str]) -> None:
    answer = re.search(r'<h1 class="answer">([^<]*)</h1>', pages["broken"])
    assert answer
    assert _text(answer[1]) == (
        "No edge can be recommended: nginx leaked (3 alarms in 40 checks); varnish could not be run (03-varnish: "
        "varnishd | ended at its start); direct failed (response_time_ms.all.p95 is 900.1, not &lt; 300)."
    )


def test_profiles_that_were_never_tried_are_not_said_to_have_failed(tmp_path: Path) -> None:
    study = two_edges()
    study.problems, study.untried = {"direct": "it ended."}, ("varnish", "two-tier")
    study.changed = lambda manifest: replace(manifest, complete=False)
    compared = compare(study.write(tmp_path))
    assert wording.others(compared)[:2] == ["direct could not be run.", "varnish and two-tier were not run."]
    page = documents.html(compared)
    assert rows(page, "overview")["verdict"][2:] == ["– could not run", "– not run", "– not run"]
    assert [of[0] for of in list(rows(page, "runs").values())[2:]] == ["– could not run", "– not run", "– not run"]


def test_response_times_stand_in_groups_of_a_page_kind(pages: dict[str, str]) -> None:
    section = re.search(r'<section id="latency">(.*?)</section>', pages["whole"], flags=re.DOTALL)
    assert section
    labels = re.findall(r'<th scope="(\w+)">(.*?)</th>', section[1])
    percentiles = [("row", name) for name in ("p50", "p95", "p99")]
    kinds = ("all requests", "catalogue pages", "product")
    assert labels == [label for kind in kinds for label in (("rowgroup", kind), *percentiles)]
    assert section[1].count("<tbody>") == len(kinds)


def test_markup_in_names_stays_text(tmp_path: Path) -> None:
    evil = "<img/src=x/onerror=alert(1)>&'\""
    study = two_edges()
    study.changed = lambda manifest: replace(manifest, scenario=evil, command=evil)
    study.histories["nginx"][0].ok_ms[20, evil] = [5.0] * 200
    directory = study.write(tmp_path)
    compared = compare(directory)
    parsed = Page(documents.html(compared))
    assert "img" not in parsed.tags
    assert evil in parsed.sections["latency"]
    assert "<img" not in documents.markdown(compared)


def test_a_passed_study_reads_so(tmp_path: Path) -> None:
    study = whole()
    assert documents.markdown(compare(study.write(tmp_path))).replace("\u00a0", " ") == EXPECTED


def test_a_problem_with_a_bar_stays_in_its_line(tmp_path: Path) -> None:
    text = documents.markdown(compare(broken().write(tmp_path)))
    assert "03-varnish could not be run: varnishd ¦ ended at its start." in text
    assert len({line.count("|") for line in text.splitlines() if line.startswith("|")}) == 1


def test_the_same_study_gives_the_same_bytes(tmp_path: Path, pages: dict[str, str]) -> None:
    assert html(whole(), tmp_path) == pages["whole"]


def answer(study: Study, folder: Path) -> str:
    return wording.answer(compare(study.write(folder))).replace("\u00a0", " ")


def test_without_a_profile_without_cache_the_answer_stands_alone(tmp_path: Path) -> None:
    study = Study({name: [history_of(name, ms=20.0, origin_per_s=4)] for name in ("varnish", "two-tier")})
    assert answer(study, tmp_path) == (
        "Take varnish: catalogue pages come in 20 ms (20–20) at p95, half of them in 20 ms, and 80 % of all requests "
        "never reach the shop."
    )


def test_where_no_cache_is_better_the_answer_says_so(tmp_path: Path) -> None:
    study = Study({name: [history_of(name, ms=20.0, origin_per_s=20)] for name in ("nginx", "direct")})
    assert answer(study, tmp_path).startswith("Take direct: no cache that was measured is better; ")


def test_what_is_not_told_apart_is_said_to_be_so(tmp_path: Path) -> None:
    study = Study(
        {name: [history_of(name, ms=20.0, origin_per_s=fetched)] for name, fetched in (("nginx", 4), ("direct", 20))}
    )
    assert answer(study, tmp_path) == (
        "Take nginx: catalogue pages come in 20 ms (20–20) at p95, half of them in 20 ms; with direct in 20 ms (20–20) "
        "and 20 ms, not told apart at p95; the shop answers 80 % fewer requests."
    )


def test_a_part_that_loaded_the_machine_too_much_is_an_uncertainty(tmp_path: Path) -> None:
    told = [sentence.replace("\u00a0", " ") for sentence in wording.uncertainties(compare(broken().write(tmp_path)))]
    assert told[-2:] == [
        "02-direct used 90 % of the generator's and 90 % of the stack's processors, more than 30 %: waiting for them "
        "is part of its response times.",
        "Nobody looked for leaks of direct.",
    ]


def test_repeats_take_back_that_runs_may_differ_unseen(tmp_path: Path) -> None:
    study = Study(
        {name: [history_of(name, ms=20.0, origin_per_s=4) for _ in range(3)] for name in ("nginx", "varnish")}
    )
    told = wording.uncertainties(compare(study.write(tmp_path)))
    assert [sentence for sentence in told if "one run of each" in sentence] == []


def test_who_was_put_aside_for_the_same_reason_stands_in_one_sentence(tmp_path: Path) -> None:
    study = Study(
        {
            name: [history_of(name, ms=ms, origin_per_s=fetched)]
            for name, ms, fetched in (("nginx", 20.0, 4), ("varnish", 50.0, 4), ("direct", 60.0, 20))
        }
    )
    assert wording.others(compare(study.write(tmp_path))) == ["direct and varnish are slower."]


def test_the_manifest_names_what_the_study_had_in_common(tmp_path: Path, pages: dict[str, str]) -> None:
    assert StudyManifest.read(two_edges().write(tmp_path).manifest).options.products == 3000
    text = Page(pages["two edges"]).sections["method"]
    assert "the same 3,000 products" in text
    assert "2 shoppers per second used 20" in text.replace("\u00a0", " ")
