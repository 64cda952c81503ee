"""The payment provider by itself: one answer per key, on the disk before it is given."""

import asyncio
import hashlib
import json
import math
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from uuid import UUID, uuid4, uuid5

import pytest
import requests

from reference_shop.payment.journal import Charge, Journal, open_journal
from reference_shop.payment.ledger import Ledger
from reference_shop.payment.settings import Constant, Lognormal, PaymentSettings
from tests.shop import virtual_time
from tests.shop.processes import RUN_AS, Program, Workshop
from tests.shop.virtual_time import now


@pytest.fixture(scope="module")
def payment(workshop: Workshop) -> Program:
    return workshop.payment(latency_ms=20, decline_ratio=0.25, journal="alone")


def charge(
    payment: Program, key: str, amount_idr: object = 25_000, card: object = "tok_approved", order_id: object = 7
) -> requests.Response:
    return requests.post(
        f"{payment.url}/charges",
        json={"amount_idr": amount_idr, "card_token": card, "order_id": order_id},
        headers={"Idempotency-Key": key},
        timeout=10,
    )


def refund(payment: Program, key: str) -> requests.Response:
    return requests.post(f"{payment.url}/charges/{key}/refund", timeout=10)


def books(payment: Program, since: float = 0.0) -> list[dict[str, object]]:
    """Return the lines of the books, the last one included."""
    answer = requests.get(f"{payment.url}/charges", params={"since": repr(since)}, timeout=10)
    return [json.loads(line) for line in answer.text.splitlines()]


def captured_key(payment: Program) -> str:
    """Return a fresh key that was captured: a quarter of them is declined."""
    return next(key for key in iter(fresh, None) if charge(payment, key).json()["state"] == "captured")


def fresh() -> str:
    return str(uuid4())


def test_the_same_request_gets_the_same_answer_however_often_and_at_once(payment: Program) -> None:
    key = fresh()
    with ThreadPoolExecutor(10) as crowd:
        answers = list(crowd.map(lambda _: charge(payment, key).json()["state"], range(10)))
    assert set(answers) == {requests.get(f"{payment.url}/charges/{key}", timeout=5).json()["state"]}


def test_a_key_with_another_amount_card_or_order_is_refused(payment: Program) -> None:
    key = fresh()
    charge(payment, key)
    assert charge(payment, key, order_id=8).status_code == 422
    assert charge(payment, key, amount_idr=1).status_code == 422
    assert charge(payment, key, card="tok_other").status_code == 422


def test_a_voided_key_is_never_charged(payment: Program) -> None:
    key = fresh()
    assert requests.post(f"{payment.url}/charges/{key}/void", timeout=5).json()["state"] == "voided"
    assert (charge(payment, key).status_code, charge(payment, key).json()["state"]) == (409, "voided")


def test_a_charged_key_cannot_be_voided(payment: Program) -> None:
    key = fresh()
    state = charge(payment, key).json()["state"]
    assert requests.post(f"{payment.url}/charges/{key}/void", timeout=5).json()["state"] == state


def test_about_the_configured_share_of_keys_is_declined_and_always_the_same_ones(
    workshop: Workshop, payment: Program
) -> None:
    keys = [str(uuid5(UUID(int=1), str(number))) for number in range(200)]
    twin = workshop.payment(latency_ms=0, decline_ratio=0.25, journal="twin")
    with ThreadPoolExecutor(8) as crowd:
        here, there = (
            list(crowd.map(lambda key, where=where: charge(where, key).json()["state"], keys))
            for where in (payment, twin)
        )
    assert here == there
    assert 30 <= here.count("declined") <= 70  # 50 expected, standard deviation 6.1


def test_an_answered_charge_survives_the_death_of_the_provider(workshop: Workshop) -> None:
    first = workshop.payment(journal="mortal")
    keys = [fresh() for _ in range(20)]
    for key in keys:
        charge(first, key)
    first.kill()
    second = workshop.payment(journal="mortal")
    assert {charge(second, key).json()["state"] for key in keys} == {"captured"}
    assert {charge(second, key, amount_idr=1).status_code for key in keys} == {422}


def test_a_refund_and_the_order_survive_the_death_of_the_provider(workshop: Workshop) -> None:
    first = workshop.payment(journal="refunding")
    key = fresh()
    charge(first, key, order_id=12)
    refund(first, key)
    before = books(first)
    first.kill()
    second = workshop.payment(journal="refunding")
    assert books(second) == before
    assert [(line["state"], line["order_id"]) for line in before[:-1]] == [("refunded", 12)]
    assert refund(second, key).json()["state"] == "refunded"


def test_a_journal_from_before_orders_and_instants_gives_the_answers_that_it_gave(workshop: Workshop) -> None:
    key = fresh()
    digest = hashlib.sha256(f"{key} 25000 tok_approved".encode()).hexdigest()
    old = {"key": key, "state": "captured", "amount_idr": 25_000, "digest": digest}
    journal = workshop.folder / f"{workshop.schema}-old.jsonl"
    journal.write_text(json.dumps(old) + "\n")
    if RUN_AS:
        shutil.chown(journal, RUN_AS)
    payment = workshop.payment(journal="old", decline_ratio=1.0)
    assert (charge(payment, key).status_code, charge(payment, key).json()["state"]) == (200, "captured")
    assert charge(payment, key, amount_idr=1).status_code == 422
    assert refund(payment, key).json()["state"] == "refunded"


def test_the_last_line_of_a_key_is_what_the_journal_remembers(tmp_path: Path) -> None:
    lines = [Charge("a", "captured", 5, "d", 1, 10.0), Charge("b", "declined", 6, "e", 2, 11.0),
             Charge("a", "refunded", 5, "d", 1, 12.0)]  # fmt: skip
    path = tmp_path / "journal.jsonl"
    path.write_text("".join(json.dumps(asdict(line)) + "\n" for line in lines))
    assert open_journal(path)[1] == {"a": lines[2], "b": lines[1]}


def test_a_line_that_a_crash_tore_is_cut_off(tmp_path: Path) -> None:
    whole = json.dumps({"key": "a", "state": "captured", "amount_idr": 5, "digest": "d"}) + "\n"
    path = tmp_path / "journal.jsonl"
    path.write_text(whole + '{"key": "b", "sta')
    _, remembered = open_journal(path)
    assert list(remembered) == ["a"]
    assert path.read_text() == whole


@pytest.mark.parametrize("body", ["", "[]", "{}", "[" * 4000])
def test_a_charge_that_is_no_document_is_refused(payment: Program, body: str) -> None:
    answer = requests.post(f"{payment.url}/charges", data=body, headers={"Idempotency-Key": fresh()}, timeout=5)
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "wrong",
    [
        *({"amount_idr": amount} for amount in (0, -5, True, 1.5, 1e30, "5", None)),
        *({"card": card} for card in ("", "x" * 101, 5, None)),
        *({"order_id": order} for order in (0, -1, True, 7.0, 2**63, "7", None)),
    ],
)
def test_a_charge_that_makes_no_sense_is_refused(payment: Program, wrong: dict[str, object]) -> None:
    key = fresh()
    answer = charge(payment, key, **wrong)
    assert (answer.status_code, answer.json()) == (
        400,
        {"error": "the body must be JSON with amount_idr (1 to 1000000000000), card_token and order_id (at least 1)"},
    )
    assert requests.get(f"{payment.url}/charges/{key}", timeout=5).status_code == 404


def test_a_captured_charge_is_refunded_once_however_often_it_is_asked(payment: Program) -> None:
    key = captured_key(payment)
    with ThreadPoolExecutor(10) as crowd:
        answers = list(crowd.map(lambda _: refund(payment, key), range(10)))
    assert {(answer.status_code, answer.json()["state"]) for answer in answers} == {(200, "refunded")}
    (line,) = [line for line in books(payment) if line.get("idempotency_key") == key]
    assert (line["state"], line["amount_idr"], line["order_id"]) == ("refunded", 25_000, 7)


def test_a_refunded_charge_is_neither_charged_again_nor_voided(payment: Program) -> None:
    key = captured_key(payment)
    refund(payment, key)
    assert (charge(payment, key).status_code, charge(payment, key).json()["state"]) == (200, "refunded")
    assert requests.post(f"{payment.url}/charges/{key}/void", timeout=5).json()["state"] == "refunded"
    assert charge(payment, key, amount_idr=1).status_code == 422


def test_only_a_captured_charge_can_be_refunded(payment: Program) -> None:
    declined, voided = fresh(), fresh()
    charge(payment, declined, card="tok_declined")
    requests.post(f"{payment.url}/charges/{voided}/void", timeout=5)
    for key, state in ((declined, "declined"), (voided, "voided")):
        assert (refund(payment, key).status_code, refund(payment, key).json()["state"]) == (409, state)
    assert refund(payment, fresh()).status_code == 404
    assert refund(payment, "none").status_code == 400


def test_the_books_tell_what_was_decided_or_refunded_since_an_instant(workshop: Workshop) -> None:
    payment = workshop.payment(journal="told")
    early, late, refunded, voided = (fresh() for _ in range(4))
    charge(payment, early, amount_idr=1, order_id=1)
    charge(payment, refunded, amount_idr=2, order_id=2)
    instant = time.time()
    charge(payment, late, amount_idr=3, order_id=3)
    refund(payment, refunded)
    requests.post(f"{payment.url}/charges/{voided}/void", timeout=5)
    *charges, end = books(payment, instant)
    assert end == {"type": "end", "lines": 3}
    assert {(line["idempotency_key"], line["state"], line["amount_idr"], line["order_id"]) for line in charges} == {
        (late, "captured", 3, 3),
        (refunded, "refunded", 2, 2),
        (voided, "voided", 0, 0),
    }
    assert {line["type"] for line in charges} == {"charge"}
    assert all(instant <= float(str(line["at"])) <= time.time() for line in charges)
    assert {line["idempotency_key"] for line in books(payment)[:-1]} == {early, late, refunded, voided}
    assert books(payment, time.time() + 60) == [{"type": "end", "lines": 0}]


@pytest.mark.parametrize("since", ["yesterday", "-1", "nan", "inf", "1e12"])
def test_an_instant_that_is_none_is_refused(payment: Program, since: str) -> None:
    answer = requests.get(f"{payment.url}/charges", params={"since": since}, timeout=5)
    assert (answer.status_code, answer.json()) == (400, {"error": "since must be seconds since 1970"})


def test_the_callers_request_id_is_given_back(payment: Program) -> None:
    for path in ("/readyz", f"/charges/{fresh()}", "/nowhere"):
        answer = requests.get(f"{payment.url}{path}", headers={"X-Request-ID": "shop-1_a"}, timeout=5)
        assert answer.headers["X-Request-ID"] == "shop-1_a"


@pytest.mark.parametrize("given", [None, "", "a b", "x" * 65, "é", "a;b"])
def test_a_request_id_that_is_none_is_not_given_back(payment: Program, given: str | None) -> None:
    headers = {} if given is None else {"X-Request-ID": given.encode()}
    answer = requests.get(f"{payment.url}/readyz", headers=headers, timeout=5)
    assert (answer.status_code, "X-Request-ID" in answer.headers) == (200, False)


def test_an_unknown_key_is_said_to_be_unknown(payment: Program) -> None:
    assert requests.get(f"{payment.url}/charges/{fresh()}", timeout=5).status_code == 404
    assert requests.get(f"{payment.url}/charges/none", timeout=5).status_code == 400


def settings(**changes: object) -> str:
    document: dict[str, object] = {
        "listen_fd": 3,
        "latency": {"distribution": "constant", "ms": 5},
        "decline_ratio": 0.5,
        "seed": 1,
        "journal": "journal.jsonl",
    }
    return json.dumps(document | changes)


def test_both_latency_distributions_are_read() -> None:
    assert PaymentSettings.from_json(settings()).latency == Constant(0.005)
    lognormal = {"distribution": "lognormal", "median_ms": 80, "sigma": 0.5}
    assert PaymentSettings.from_json(settings(latency=lognormal)).latency == Lognormal(0.08, 0.5)


def test_concurrency_and_delay_are_read_and_may_be_absent() -> None:
    told = PaymentSettings.from_json(settings(concurrency=4, delay_ms=250))
    assert (told.concurrency, told.delay_s) == (4, 0.25)
    untold = PaymentSettings.from_json(settings())
    assert (untold.concurrency, untold.delay_s) == (None, 0.0)


class Undisturbed(Journal):
    """A journal in memory, at once."""

    def __init__(self) -> None:
        self.lines: list[Charge] = []

    async def append(self, charge: Charge) -> None:
        self.lines.append(charge)


def ledger(journal: Journal, concurrency: int | None = None, delay_s: float = 0.0) -> Ledger:
    return Ledger(
        journal,
        {},
        latency=Constant(1.0),
        decline_ratio=0.0,
        seed=1,
        concurrency=concurrency,
        delay_s=delay_s,
        clock=now,
    )


async def decided_at(ledger: Ledger, count: int) -> list[float]:
    """Charge so many keys at once; return when each was decided."""
    charges = await asyncio.gather(*(ledger.charge(UUID(int=n), 5, "tok", 1) for n in range(count)))
    return [charge.at for charge in charges]


def test_without_a_limit_all_charges_are_decided_at_once() -> None:
    assert virtual_time.run(decided_at(ledger(Undisturbed()), 6)) == [1.0] * 6


def test_with_a_limit_charges_wait_in_the_order_in_which_they_came() -> None:
    assert virtual_time.run(decided_at(ledger(Undisturbed(), concurrency=2), 6)) == [1, 1, 2, 2, 3, 3]


def test_the_delay_is_added_to_every_charge() -> None:
    slow = ledger(Undisturbed(), concurrency=2, delay_s=0.5)
    assert virtual_time.run(decided_at(slow, 6)) == [1.5, 1.5, 3, 3, 4.5, 4.5]


def test_a_void_waits_neither_for_a_desk_nor_for_the_delay() -> None:
    async def story() -> list[float]:
        busy = ledger(Undisturbed(), concurrency=1, delay_s=5.0)
        crowd = asyncio.create_task(decided_at(busy, 3))
        await asyncio.sleep(0.25)
        voided = await busy.void(UUID(int=99))
        crowd.cancel()
        return [voided.at]

    assert virtual_time.run(story()) == [0.25]


def test_charge_void_and_refund_of_one_key_at_once_are_done_one_after_the_other() -> None:
    journal = Undisturbed()

    async def story() -> list[str]:
        one, key = ledger(journal), UUID(int=1)
        ends = await asyncio.gather(
            *(one.charge(key, 5, "tok", 1) for _ in range(3)),
            *(one.void(key) for _ in range(3)),
            *(one.refund(key) for _ in range(3)),
        )
        return [end.state for end in ends if end is not None]

    assert virtual_time.run(story()) == ["captured"] * 6 + ["refunded"] * 3
    assert [line.state for line in journal.lines] == ["captured", "refunded"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"decline_ratio": 1.5},
        {"latency": {"distribution": "uniform"}},
        {"latency": {"distribution": "constant", "ms": -1}},
        *({"concurrency": value} for value in (0, -1, 1.5, True, "2")),
        *({"delay_ms": value} for value in (-1, math.inf, math.nan, True, "2", None)),
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="must be"):
        PaymentSettings.from_json(settings(**wrong))
