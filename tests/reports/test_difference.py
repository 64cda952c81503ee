"""The documents of a comparison: the answer first, nothing that calls for the network, no number that is none."""

import pytest

from analysis.difference.difference import Difference, compare
from analysis.difference.figures import Figure
from reports import difference as drawn
from reports import difference_wording as words
from tests.autocorrelated_run import Likeness, written


@pytest.fixture(scope="module")
def slower(tmp_path_factory: pytest.TempPathFactory) -> Difference:
    root = tmp_path_factory.mktemp("runs")
    like = Likeness(steady_s=30, second_sd=0.02)
    return compare([written(root, 1, like)], [written(root, 2, Likeness(30, second_sd=0.02, slower_ratio=2.0))])


def test_the_page_begins_with_the_answer_and_is_self_contained(slower: Difference) -> None:
    page = drawn.html(slower)
    assert page.index("B is worse than A: p95 of all requests rose") < page.index("<main>")
    assert [word for word in ("http://", "https://", "<script", "NaN", "Infinity", "None") if word in page] == []


def test_the_summary_says_the_same(slower: Difference) -> None:
    text = drawn.markdown(slower)
    assert text.lstrip().startswith("## ❌ Regression: runs compared, evening\n")
    assert " ".join(words.answer(slower).split()) in text
    assert "| p95 of all requests |" in text
    assert "❌ worse" in text


def test_the_same_comparison_gives_the_same_bytes(slower: Difference) -> None:
    assert drawn.html(slower) == drawn.html(slower)


def test_one_run_a_side_is_told_to_show_no_variance_of_runs(slower: Difference) -> None:
    told = " ".join(words.limits(slower))
    assert "With one run on a side, how much runs of the same shop differ from each other is not seen" in told
    assert "To see a change of p95 of all requests by a tenth, take 1 run a side of" in told


@pytest.mark.parametrize(
    ("figure", "number", "text"),
    [
        (Figure("all", "p95"), 0.1234, "+12 %"),
        (Figure("all", "p95"), -0.04567, "−4.6 %"),
        (Figure("cart", "failed_ratio"), 0.0012, "+0.12 points"),
        (Figure("all", "goodput_per_s"), 0.0, "±0 %"),
        (Figure("all", "goodput_per_s"), None, "–"),
    ],
)
def test_changes_carry_their_sign_and_unit(figure: Figure, number: float | None, text: str) -> None:
    assert words.change(figure, number).replace("\u00a0", " ") == text
