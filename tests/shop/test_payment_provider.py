"""The payment provider by itself: one answer per key, on the disk before it is given."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID, uuid4, uuid5

import pytest
import requests

from reference_shop.payment.journal import open_journal
from reference_shop.payment.settings import Constant, Lognormal, PaymentSettings
from tests.shop.processes import Program, Workshop


@pytest.fixture(scope="module")
def payment(workshop: Workshop) -> Program:
    return workshop.payment(latency_ms=20, decline_ratio=0.25, journal="alone")


def charge(payment: Program, key: str, amount_idr: object = 25_000, card: object = "tok_approved") -> requests.Response:
    return requests.post(
        f"{payment.url}/charges",
        json={"amount_idr": amount_idr, "card_token": card},
        headers={"Idempotency-Key": key},
        timeout=10,
    )


def fresh() -> str:
    return str(uuid4())


def test_the_same_request_gets_the_same_answer_however_often_and_at_once(payment: Program) -> None:
    key = fresh()
    with ThreadPoolExecutor(10) as crowd:
        answers = list(crowd.map(lambda _: charge(payment, key).json()["state"], range(10)))
    assert set(answers) == {requests.get(f"{payment.url}/charges/{key}", timeout=5).json()["state"]}


def test_a_key_with_another_amount_or_card_is_refused(payment: Program) -> None:
    key = fresh()
    charge(payment, key)
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


def test_a_line_that_a_crash_tore_is_cut_off(tmp_path: Path) -> None:
    whole = json.dumps({"key": "a", "state": "captured", "amount_idr": 5, "digest": "d"}) + "\n"
    path = tmp_path / "journal.jsonl"
    path.write_text(whole + '{"key": "b", "sta')
    _, remembered = open_journal(path)
    assert list(remembered) == ["a"]
    assert path.read_text() == whole


@pytest.mark.parametrize(
    "body", ["", "[]", "{}", '{"amount_idr": -5, "card_token": "x"}', '{"amount_idr": true, "card_token": "x"}',
             '{"amount_idr": 1.5, "card_token": "x"}', '{"amount_idr": 5}', '{"amount_idr": 1e30, "card_token": "x"}'],
)  # fmt: skip
def test_a_charge_that_makes_no_sense_is_refused(payment: Program, body: str) -> None:
    answer = requests.post(f"{payment.url}/charges", data=body, headers={"Idempotency-Key": fresh()}, timeout=5)
    assert answer.status_code == 400


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


@pytest.mark.parametrize(
    "wrong",
    [
        {"decline_ratio": 1.5},
        {"latency": {"distribution": "uniform"}},
        {"latency": {"distribution": "constant", "ms": -1}},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="must be"):
        PaymentSettings.from_json(settings(**wrong))
