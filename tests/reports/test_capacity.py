"""The documents of a capacity study: the answer first, one page by itself, every step told."""

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from analysis.capacity import capacity
from reports import capacity_junit, capacity_wording
from reports.capacity import html, markdown
from tests.recorded_capacity import CAPACITY_MANIFEST, FOUND, CapacityStudy

AT_LEAST = replace(FOUND, found="at least", rate_per_s=10.0, low_per_s=10.0, high_per_s=None, beyond="unseen")


def written(root: Path, study: CapacityStudy | None = None) -> str:
    return html(capacity((study or CapacityStudy()).write(root)))


@pytest.mark.parametrize(
    ("record", "answer"),
    [
        (
            FOUND,
            "The shop holds 11\u00a0sessions/s (10.5–11.5), 66\u00a0orders/min. "
            "Beyond it the shop collapses: it answers less well the more is asked of it.",
        ),
        (
            replace(AT_LEAST, sentence="The shop holds at least 10 sessions/s; no higher rate is allowed."),
            "The shop holds at least 10 sessions/s; no higher rate is allowed. That is 60\u00a0orders/min.",
        ),
        (
            replace(
                AT_LEAST, found="below", rate_per_s=None, low_per_s=None, sentence="The shop fails already at 0.5."
            ),
            "The shop fails already at 0.5.",
        ),
    ],
)
def test_the_answer_is_a_sentence(tmp_path: Path, record: object, answer: str) -> None:
    assert isinstance(record, type(FOUND))
    assert capacity_wording.answer(capacity(CapacityStudy(record=record).write(tmp_path))) == answer


def test_the_page_answers_first_and_tells_every_step(tmp_path: Path) -> None:
    page = written(tmp_path)
    assert page.index("The shop holds 11\u00a0sessions/s") < page.index('id="curve"') < page.index('id="steps"')
    assert page.count('<tr><th scope="row">') == 5 + 5  # the steps, and the cores of each
    assert "The first objective to fail was response_time_ms.all.p95 &lt; 300." in page
    assert "parts/01-search/report.html" in page


def test_the_page_needs_nothing_else(tmp_path: Path) -> None:
    page = written(tmp_path)
    assert not [word for word in ("<script", "http://www", "https://", "@import", "url(http") if word in page]


def test_a_study_without_steps_says_so_instead_of_empty_charts(tmp_path: Path) -> None:
    record = replace(FOUND, found="unknown", rate_per_s=None, low_per_s=None, high_per_s=None)
    study = CapacityStudy(record=record).write(tmp_path)
    record.write(study.capacity)
    page = html(capacity(study))
    assert "The search ended before its first step did." in page
    assert "<svg" not in page


def test_what_others_wrote_is_escaped_everywhere(tmp_path: Path) -> None:
    manifest = replace(CAPACITY_MANIFEST, scenario="<b>|evening", command="lonjak <i>")
    analysed = capacity(CapacityStudy(manifest=manifest).write(tmp_path))
    assert "<b>" not in markdown(analysed)
    assert "<b>|" not in html(analysed)
    assert "<i>" not in html(analysed)


def test_the_markdown_has_a_row_for_each_step(tmp_path: Path) -> None:
    page = markdown(capacity(CapacityStudy().write(tmp_path)))
    assert page.startswith("## ✅ Found: capacity, evening\n\nThe shop holds 11 sessions/s")
    assert "| 15 | ❌ fails | 900 | 30 | 50\u00a0% | 90 |" in page


@pytest.mark.parametrize(
    ("found", "failures", "skipped", "errors"), [("found", 0, 0, 0), ("below", 1, 0, 0), ("unknown", 0, 1, 1)]
)
def test_a_ci_server_sees_what_was_found(tmp_path: Path, found: str, failures: int, skipped: int, errors: int) -> None:
    record = replace(FOUND, found=found)
    suite = ET.fromstring(capacity_junit.render(capacity(CapacityStudy(record=record).write(tmp_path)))).find(
        "testsuite"
    )
    assert suite is not None
    assert [suite.get(name) for name in ("failures", "skipped", "errors")] == [str(failures), str(skipped), str(errors)]


def test_the_same_study_is_drawn_to_the_same_bytes(tmp_path: Path) -> None:
    analysed = capacity(CapacityStudy().write(tmp_path))
    assert html(analysed) == html(analysed)


def test_what_the_answer_says_is_not_told_again_as_a_reason(tmp_path: Path) -> None:
    analysed = capacity(CapacityStudy(record=AT_LEAST).write(tmp_path))
    assert capacity_wording.reasons(analysed) == []
    manifest = replace(CAPACITY_MANIFEST, complete=False, interrupted=True)
    interrupted = capacity(CapacityStudy(manifest=manifest).write(tmp_path))
    assert capacity_wording.reasons(interrupted)[0].startswith("The search was interrupted.")


def test_a_reason_that_begins_with_an_objective_keeps_its_name_as_written(tmp_path: Path) -> None:
    study = capacity(CapacityStudy().write(tmp_path))
    assert [capacity_wording.reason(step) for step in study.record.steps[1:3]] == [
        "Every objective held.",
        "failed_ratio < 0.01 did not hold.",
    ]
