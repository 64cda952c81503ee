from pathlib import Path
from random import Random

import pytest

from scenarios.markov import expected_visits, reach_ratio, stationary
from scenarios.mix import LEAVE, Mix, State, Step, draw_successor
from scenarios.mixes import MIXES, catalogue, marketplace, tpcw_shopping
from scenarios.mixes.marketplace import Published
from scenarios.outcomes import Outcome
from scenarios.think_times import Exponential

CHAIN = marketplace.MIX.chain(marketplace.OUTCOME_RATIOS)
START = marketplace.MIX.start
PAUSE = Exponential(1.0, 10.0)


@pytest.mark.parametrize("mix", MIXES.values(), ids=lambda mix: mix.name)
def test_every_row_adds_up_and_leads_to_a_state(mix):
    assert mix.problems() == []


def test_a_bad_table_is_named_row_by_row():
    mix = Mix("bad", "", {"a": 0.5}, {"a": State(Step.HOME, PAUSE, {"b": 1.0})}, {})
    assert mix.problems() == [
        "bad: row 'start' adds up to 0.500000, not 1.",
        "bad: row 'after a' leads to 'b', which is no state.",
    ]


def test_tpcw_shopping_has_the_published_stationary_distribution():
    shares = stationary(tpcw_shopping.MIX.chain())
    computed = {state: round(100 * share, 2) for state, share in shares.items()}
    assert computed == tpcw_shopping.PUBLISHED_PERCENT


def test_the_widely_copied_threshold_9992_would_miss_it():
    # 2585 to CREG, 9992 - 2585 to HOME, 7 to SHOP, as other implementations have it.
    copied = tpcw_shopping.COUNTS | {"SHOP": {"CREG": 2585, "HOME": 7407, "SHOP": 7}}
    chain = {state: {after: count / 9999 for after, count in row.items()} for state, row in copied.items()}
    shares = stationary(chain)
    assert [round(100 * shares[state], 2) for state in ("HOME", "SHOP", "CREG", "BUYR", "BUYC")] == [
        16.20,
        11.15,
        2.88,
        2.50,
        1.15,
    ]


def test_tpcw_rows_hold_all_9999_counts():
    assert {sum(row.values()) for row in tpcw_shopping.COUNTS.values()} == {9999}


def test_tpcw_admin_states_ask_for_no_page():
    silent = {name for name, state in tpcw_shopping.MIX.states.items() if state.step.page_kind == ""}
    assert silent == {"ADMR", "ADMC"}


def test_marketplace_meets_the_published_product_pages_per_session():
    visits = expected_visits(CHAIN, START)
    assert_close(visits["product"] + visits["landing"], marketplace.PRODUCT_PAGES)


def test_marketplace_meets_the_published_share_of_buying_sessions():
    assert_close(buying_sessions(), marketplace.BUYING_SESSIONS)


def test_marketplace_meets_the_published_cart_abandonment():
    carts = reach_ratio(CHAIN, START, {"add_to_cart"})
    assert_close(1 - buying_sessions() / carts, marketplace.CART_ABANDONMENT)


def test_marketplace_meets_the_published_share_of_searching_sessions():
    assert_close(reach_ratio(CHAIN, START, {"search"}), marketplace.SEARCHING_SESSIONS)


def test_marketplace_walks_agree_with_its_closed_form():
    rng = Random(20261123)
    walks = [walk(marketplace.MIX, rng) for _ in range(20_000)]
    pages = sum(len(states) for states in walks) / len(walks)
    assert pages == pytest.approx(sum(expected_visits(marketplace.MIX.chain(), START).values()), rel=0.03)


def test_a_patient_shopper_never_follows_an_outcome_that_did_not_happen():
    assert marketplace.MIX.row("search", Outcome.OK) != marketplace.MIX.row("search", Outcome.ZERO_RESULTS)


@pytest.mark.parametrize(
    ("state", "outcome", "successors"),
    [
        ("search", Outcome.ZERO_RESULTS, {"reformulate", LEAVE}),
        ("product", Outcome.OUT_OF_STOCK, {"category", "product", LEAVE}),
        ("pay", Outcome.PAYMENT_DECLINED, {"pay_again", LEAVE}),
        ("pay_again", Outcome.PAYMENT_DECLINED, {LEAVE}),
        ("checkout", Outcome.TOO_SLOW, {LEAVE}),
        ("home", Outcome.FAILED, {"home", LEAVE}),
    ],
)
def test_an_outcome_steers_a_marketplace_shopper(state, outcome, successors):
    assert set(marketplace.MIX.row(state, outcome)) == successors


@pytest.mark.parametrize(
    ("mix", "state"),
    [("flash-sale", "rush"), ("marketplace", "add_to_cart"), ("marketplace", "grab")],
)
def test_who_wants_a_sales_product_is_steered_by_every_answer_of_the_shop(mix: str, state: str):
    # An outcome that no row knows would lead on to the checkout, with nothing in the cart.
    answers = set(Outcome) - {Outcome.OK, Outcome.ZERO_RESULTS, Outcome.SALE_OVER}
    answers -= {Outcome.PAYMENT_DECLINED, Outcome.PRICE_CHANGED, Outcome.VOUCHER_REFUSED, Outcome.NOT_RETURNABLE}
    on = MIXES[mix].row(state, Outcome.OK)
    assert [outcome for outcome in answers if MIXES[mix].row(state, outcome) == on] == []


def test_tpcw_goes_on_as_if_a_declined_card_had_been_taken():
    assert tpcw_shopping.MIX.row("BUYC", Outcome.PAYMENT_DECLINED) == tpcw_shopping.MIX.states["BUYC"].after


def test_think_times_have_their_capped_mean():
    # Mean of min(X, c) for exponential X of mean m: m (1 - exp(-c / m)); 6.9997 s less nothing for TPC-W's 7 and 70.
    rng, pause = Random(7), Exponential(mean_s=7.0, cap_s=70.0)
    drawn = [pause.draw_s(rng) for _ in range(50_000)]
    assert sum(drawn) / len(drawn) == pytest.approx(6.9997, rel=0.015)
    assert max(drawn) <= 70.0


def test_think_times_scale_mean_and_cap_together():
    whole, tenth = Random(3), Random(3)
    pause = Exponential(mean_s=7.0, cap_s=8.0)
    assert [pause.draw_s(tenth, 0.1) for _ in range(50)] == pytest.approx(
        [0.1 * pause.draw_s(whole) for _ in range(50)]
    )


def buying_sessions() -> float:
    """A session buys at most once in this mix: its payment that is not declined ends it."""
    visits = expected_visits(CHAIN, START)
    return sum(visits[state] * (1 - sum(marketplace.OUTCOME_RATIOS[state].values())) for state in ("pay", "pay_again"))


def walk(mix: Mix, rng: Random) -> list[str]:
    states = [draw_successor(mix.start, rng)]
    while (state := draw_successor(mix.row(states[-1], Outcome.OK), rng)) != LEAVE:
        states.append(state)
    return states


def assert_close(value: float, published: Published) -> None:
    assert value == pytest.approx(published.value, rel=published.tolerance_ratio), published.figure


def test_the_documentation_shows_what_the_tables_give():
    text = (Path(__file__).parents[2] / "docs" / "mixes.md").read_text(encoding="utf-8")
    visits = expected_visits(CHAIN, START)
    assert f"| {visits['product'] + visits['landing']:.3f} |" in text
    assert f"{sum(visits.values()):.2f} steps per session" in text
    assert f"| {reach_ratio(CHAIN, START, {'search'}):.1%} |".replace("%", " %") in text
    for state, share in stationary(tpcw_shopping.MIX.chain()).items():
        row = next(line for line in text.splitlines() if line.startswith(f"| {state} |"))
        assert row.endswith(f"| {tpcw_shopping.PUBLISHED_PERCENT[state]:.2f} | {100 * share:.2f} |")
    seen = expected_visits(catalogue.MIX.chain(), catalogue.MIX.start)
    for state, pages in seen.items():
        first, following = catalogue.START.get(state, 0.0), catalogue.ON[state]
        assert f"| {state} | {100 * first:.0f} % | {100 * following:.0f} % | {pages:.3f} |" in text
    assert f"{sum(seen.values()):.2f} pages a visit" in text
