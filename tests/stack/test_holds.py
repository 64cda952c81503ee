"""Holds: a process stays away for as long as its file says, and no longer than ten minutes."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from reference_shop.stack.holds import LONGEST_S, LOOK_EVERY_S, held_until, wait_while_held

WRITTEN_AT = 1_700_000_000.0


@pytest.fixture
def hold(tmp_path: Path) -> Iterator[Path]:
    return tmp_path / "shop-1"


def write(hold: Path, text: str) -> None:
    hold.write_text(text)
    os.utime(hold, (WRITTEN_AT, WRITTEN_AT))


def test_a_hold_is_on_until_its_instant(hold: Path) -> None:
    write(hold, f"{WRITTEN_AT + 7.5}\n")
    assert held_until(hold) == WRITTEN_AT + 7.5


def test_a_hold_of_more_than_ten_minutes_is_cut_to_ten_minutes(hold: Path) -> None:
    write(hold, str(WRITTEN_AT + 10_000))
    assert held_until(hold) == WRITTEN_AT + LONGEST_S == WRITTEN_AT + 600


@pytest.mark.parametrize("text", ["", "soon", "nan", "inf", "1e999", "{}", "\N{BULLET}"])
def test_a_malformed_hold_counts_as_none(hold: Path, text: str) -> None:
    write(hold, text)
    assert held_until(hold) == 0


def test_a_missing_hold_counts_as_none(hold: Path) -> None:
    assert held_until(hold) == 0


def waited_s(hold: Path, taken_away_after_s: float = 1000.0) -> float:
    """How long somebody waits for a hold, by a clock that only goes on with the pauses."""
    now = [WRITTEN_AT]

    async def pause(for_s: float) -> None:
        assert for_s == LOOK_EVERY_S
        now[0] += for_s
        if now[0] >= WRITTEN_AT + taken_away_after_s:
            hold.unlink(missing_ok=True)

    asyncio.run(wait_while_held(hold, clock=lambda: now[0], pause=pause))
    return now[0] - WRITTEN_AT


def test_the_wait_ends_at_the_first_look_after_the_hold(hold: Path) -> None:
    write(hold, str(WRITTEN_AT + 0.95))
    assert waited_s(hold) == pytest.approx(1.0)


def test_nobody_waits_for_a_hold_that_is_over_or_never_was(hold: Path) -> None:
    assert waited_s(hold) == 0
    write(hold, str(WRITTEN_AT))
    assert waited_s(hold) == 0


def test_a_hold_that_is_taken_away_ends_at_once(hold: Path) -> None:
    write(hold, str(WRITTEN_AT + 60))
    assert waited_s(hold, taken_away_after_s=0.35) == pytest.approx(0.4)
