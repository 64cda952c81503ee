"""How long pages of a product were out of date after it had changed."""

import pytest

from analysis.run import analyse
from tests.recorded_run import STARTED_AT, edge_lab, ordinary


def changed(history, at_s, product_id=17, change="price"):
    """A change in the shop's books: of a price, or a movement of stock."""
    line = {"type": change, "entry_id": len(history.truth), "at": STARTED_AT + at_s, "product_id": product_id}
    if change != "price":
        line |= {"type": "movement", "change": change, "quantity": 1, "on_hand_after": 5}
    history.truth.append(line)


def stale(history, tmp_path):
    return analyse(history.write(tmp_path)).network.staleness


def test_a_page_from_before_the_change_is_stale_to_the_end_of_its_second(tmp_path):
    history = ordinary()
    changed(history, 20.4)
    history.sighted(21, 17, 20.0)
    history.sighted(22, 17, 20.3)
    history.sighted(23, 17, 22.9)
    found = stale(history, tmp_path)
    assert (found.changes_count, found.stale_seen_count) == (1, 1)
    assert (found.p50_s, found.max_s) == (pytest.approx(23 - 20.4), pytest.approx(23 - 20.4))


def test_the_second_of_the_change_itself_shows_both_rightly(tmp_path):
    history = ordinary()
    changed(history, 20.4)
    history.sighted(20, 17, 19.0)
    history.sighted(21, 17, 20.5)
    assert stale(history, tmp_path).as_json() == {
        "changes_count": 1, "stale_seen_count": 0, "p50_s": None, "max_s": None,
    }  # fmt: skip


@pytest.mark.parametrize(("made_s", "count"), [(20.34, 1), (20.36, 0)])
def test_pages_made_as_good_as_at_the_change_are_not_stale(tmp_path, made_s, count):
    history = ordinary()
    changed(history, 20.4)
    history.sighted(21, 17, made_s)
    assert stale(history, tmp_path).stale_seen_count == count


def test_a_fresh_page_in_between_does_not_end_it(tmp_path):
    history = ordinary()
    changed(history, 20.0)
    history.sighted(21, 17, 20.5)  # one point of presence has the new page,
    history.sighted(30, 17, 19.0)  # another one still the old
    assert stale(history, tmp_path).max_s == pytest.approx(11.0)


def test_rows_of_one_second_are_one_sighting_of_the_oldest_page(tmp_path):
    history = ordinary()
    changed(history, 20.0)
    history.sighted(21, 17, 20.5)
    history.sighted(21, 17, 19.0)
    assert stale(history, tmp_path).stale_seen_count == 1


def test_every_change_counts_for_itself(tmp_path):
    history = ordinary()
    for at_s in (20.0, 22.0, 24.0):
        changed(history, at_s)
    history.sighted(23, 17, 21.0)  # before the second change
    history.sighted(26, 17, 25.0)
    found = stale(history, tmp_path)
    assert (found.changes_count, found.stale_seen_count, found.max_s) == (3, 1, pytest.approx(2.0))


def test_changes_of_what_nobody_looked_at_later_do_not_count(tmp_path):
    history = ordinary()
    changed(history, 20.0)
    changed(history, 30.0)
    changed(history, 20.0, product_id=99)
    history.sighted(21, 17, 20.5)
    assert stale(history, tmp_path).changes_count == 1


@pytest.mark.parametrize(
    ("change", "count"),
    [("reserve", 1), ("release", 1), ("deliver", 1), ("withdraw", 1), ("return", 1), ("sell", 0)],
)
def test_stock_that_moved_on_the_shelf_is_a_change_by_whomever(tmp_path, change, count):
    history = ordinary()
    changed(history, 20.0, change=change)
    history.sighted(21, 17, 19.0)
    found = stale(history, tmp_path)
    assert (found.changes_count, found.stale_seen_count) == (count, count)


def test_the_median_is_that_of_the_changes_that_were_seen_late(tmp_path):
    found = stale(edge_lab(), tmp_path)
    assert (found.changes_count, found.stale_seen_count) == (2, 2)
    assert found.p50_s == pytest.approx((3.6 + 3.1) / 2)
    assert found.max_s == pytest.approx(3.6)


@pytest.mark.parametrize("lacks", ["sightings", "books", "whole books"])
def test_without_both_sides_nothing_is_told(tmp_path, lacks):
    history = ordinary()
    changed(history, 20.0)
    if lacks != "sightings":
        history.sighted(21, 17, 19.0)
    if lacks == "books":
        history.truth = None
    run = history.write(tmp_path)
    if lacks == "whole books":
        run.truth.write_text("".join(run.truth.read_text().splitlines(keepends=True)[:-1]))
    assert analyse(run).network.staleness is None
