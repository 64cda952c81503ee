"""The protections around the payment provider, each with a provider that misbehaves: what happens with and without."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from reference_shop.domain.errors import PaymentsUnavailable
from reference_shop.domain.payments import ChargeRequest, ChargeState, KeyReused, PaymentProvider, ProviderCharge
from reference_shop.protections.circuit_breaker import CircuitBreaker
from reference_shop.protections.guarded_provider import guard_provider
from reference_shop.protections.payment_retries import PaymentRetries, RetryBudget
from reference_shop.protections.payment_timeout import PaymentTimeout
from tests.shop.virtual_time import now, run

CAPTURED, DECLINED, REFUNDED, UNKNOWN = (
    ChargeState.CAPTURED,
    ChargeState.DECLINED,
    ChargeState.REFUNDED,
    ChargeState.UNKNOWN,
)
KEY = UUID(int=1)
REQUEST = ChargeRequest(KEY, 25_000, "tok_approved", order_id=7)
FOR_EVER = 1e9
QUESTIONS = pytest.mark.parametrize("question", ["look_up", "void", "refund"])


class Scripted:
    """A provider that gives the next answer of its script, the last one again and again, each after a while."""

    def __init__(self, *script: ChargeState | type[Exception], after_s: float = 0.0) -> None:
        self.script = list(script)
        self.after_s = after_s
        self.asked: list[object] = []

    async def charge(self, request: ChargeRequest) -> ChargeState:
        return await self._answer(request)

    async def look_up(self, key: UUID) -> ChargeState:
        return await self._answer(key)

    async def void(self, key: UUID) -> ChargeState:
        return await self._answer(key)

    async def refund(self, key: UUID) -> ChargeState:
        return await self._answer(key)

    async def charges_since(self, since: float) -> list[ProviderCharge] | None:
        return [] if await self._answer(since) is not UNKNOWN else None

    def available(self) -> bool:
        return True

    async def _answer(self, question: object) -> ChargeState:
        self.asked.append(question)
        answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        await asyncio.sleep(self.after_s)
        if isinstance(answer, ChargeState):
            return answer
        raise answer


def ask(provider: PaymentProvider, question: str) -> Awaitable[ChargeState]:
    asked: Callable[[UUID], Awaitable[ChargeState]] = getattr(provider, question)
    return asked(KEY)


# ---- payment-timeout


def test_without_a_timeout_a_silent_provider_keeps_the_caller_for_hours() -> None:
    async def story() -> None:
        async with asyncio.timeout(3 * 3600):
            await Scripted(CAPTURED, after_s=FOR_EVER).charge(REQUEST)

    with pytest.raises(TimeoutError):
        run(story())


def test_with_a_timeout_a_silent_provider_keeps_a_charge_for_two_seconds_and_its_outcome_is_unknown() -> None:
    async def story() -> tuple[ChargeState, float]:
        return await PaymentTimeout(Scripted(CAPTURED, after_s=FOR_EVER)).charge(REQUEST), now()

    assert run(story()) == (UNKNOWN, 2.0)


@QUESTIONS
def test_a_question_is_given_up_after_one_second(question: str) -> None:
    async def story() -> tuple[ChargeState, float]:
        return await ask(PaymentTimeout(Scripted(CAPTURED, after_s=FOR_EVER)), question), now()

    assert run(story()) == (UNKNOWN, 1.0)


def test_the_books_may_take_longer_but_not_for_ever() -> None:
    async def story(after_s: float) -> tuple[list[ProviderCharge] | None, float]:
        return await PaymentTimeout(Scripted(CAPTURED, after_s=after_s)).charges_since(0), now()

    assert run(story(9)) == ([], 9.0)
    assert run(story(FOR_EVER)) == (None, 10.0)


def test_an_answer_in_time_is_passed_on() -> None:
    assert run(PaymentTimeout(Scripted(DECLINED, after_s=1.9)).charge(REQUEST)) is DECLINED


def test_a_caller_who_hangs_up_is_not_told_that_nobody_knows() -> None:
    async def story() -> None:
        shopper = asyncio.create_task(PaymentTimeout(Scripted(CAPTURED, after_s=FOR_EVER)).charge(REQUEST))
        await asyncio.sleep(1)
        shopper.cancel()
        await shopper

    with pytest.raises(asyncio.CancelledError):
        run(story())


# ---- payment-retries


def test_what_was_left_open_is_asked_again_under_the_same_key() -> None:
    provider = Scripted(UNKNOWN, UNKNOWN, CAPTURED)
    assert run(PaymentRetries(provider).charge(REQUEST)) is CAPTURED
    assert provider.asked == [REQUEST] * 3


@QUESTIONS
def test_a_question_that_was_left_open_is_asked_again(question: str) -> None:
    provider = Scripted(UNKNOWN, REFUNDED)
    assert run(ask_later(PaymentRetries(provider), question)) is REFUNDED
    assert provider.asked == [KEY] * 2


async def ask_later(provider: PaymentProvider, question: str) -> ChargeState:
    return await ask(provider, question)


def test_after_three_attempts_nobody_knows() -> None:
    provider = Scripted(UNKNOWN)
    assert run(PaymentRetries(provider).charge(REQUEST)) is UNKNOWN
    assert len(provider.asked) == 3


def test_an_answer_is_final() -> None:
    for answer in (CAPTURED, DECLINED, ChargeState.VOIDED, REFUNDED):
        provider = Scripted(answer)
        assert run(PaymentRetries(provider).charge(REQUEST)) is answer
        assert len(provider.asked) == 1


def test_a_reused_key_is_not_tried_again() -> None:
    provider = Scripted(KeyReused)
    with pytest.raises(KeyReused):
        run(PaymentRetries(provider).charge(REQUEST))
    assert len(provider.asked) == 1


def test_the_books_are_asked_for_once() -> None:
    provider = Scripted(UNKNOWN)
    assert run(PaymentRetries(provider).charges_since(5.0)) is None
    assert provider.asked == [5.0]


class Longest(random.Random):
    """Always draws the upper end."""

    def uniform(self, a: float, b: float) -> float:
        assert a == 0
        return b


def test_the_window_of_the_waits_doubles() -> None:
    async def story() -> float:
        await PaymentRetries(Scripted(UNKNOWN), max_retries=6, rng=Longest()).charge(REQUEST)
        return now()

    assert run(story()) == pytest.approx(0.1 + 0.2 + 0.4 + 0.8 + 1.0 + 1.0)


def test_callers_who_failed_together_come_back_at_different_times() -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    async def story() -> None:
        retries = PaymentRetries(Scripted(UNKNOWN), max_retries=1, sleep=sleep, rng=random.Random(1))
        await asyncio.gather(*(retries.charge(REQUEST) for _ in range(10)))

    run(story())
    assert len(set(waits)) == 10
    assert all(0 <= wait <= 0.1 for wait in waits)
    assert max(waits) - min(waits) > 0.05  # over the whole window, not a little beside its end


def calls_to_a_dead_provider(budget: RetryBudget, callers: int) -> int:
    provider = Scripted(UNKNOWN)

    async def story() -> None:
        retries = PaymentRetries(provider, budget)
        for _ in range(callers):
            await retries.charge(REQUEST)

    run(story())
    return len(provider.asked)


def test_without_a_budget_a_dead_provider_gets_three_times_the_calls() -> None:
    assert calls_to_a_dead_provider(RetryBudget(earned=2, most_saved=FOR_EVER), 200) == 600


def test_with_a_budget_a_dead_provider_gets_a_tenth_more_and_what_was_saved() -> None:
    # 10 saved at the start (the first caller adds nothing to a full purse), 199 tenths earned: 29.9.
    assert calls_to_a_dead_provider(RetryBudget(), 200) == 229


def test_the_budget_is_shared_by_callers_who_come_at_once() -> None:
    provider = Scripted(UNKNOWN, after_s=2.0)

    async def story() -> None:
        retries = PaymentRetries(provider)
        await asyncio.gather(*(retries.charge(REQUEST) for _ in range(200)))

    run(story())
    assert len(provider.asked) == 210  # what they earned came while the purse was full


def test_quiet_days_save_ten_retries_and_no_more() -> None:
    budget = RetryBudget()
    for _ in range(1000):
        budget.earn()
    assert [budget.spend() for _ in range(11)] == [True] * 10 + [False]


def test_ten_first_attempts_earn_one_retry() -> None:
    budget = RetryBudget()
    while budget.spend():
        pass
    for _ in range(9):
        budget.earn()
        assert not budget.spend()
    budget.earn()
    assert budget.spend()


# ---- circuit-breaker


async def buyers(provider: PaymentProvider, count: int) -> list[tuple[object, float]]:
    """Let buyers pay one after the other; return how each ended and how long each waited."""
    ends: list[tuple[object, float]] = []
    for _ in range(count):
        began = now()
        try:
            outcome: object = await provider.charge(REQUEST)
        except PaymentsUnavailable:
            outcome = PaymentsUnavailable
        ends.append((outcome, now() - began))
    return ends


def breaker(provider: Scripted) -> CircuitBreaker:
    return CircuitBreaker(provider, clock=now)


def test_without_a_breaker_each_of_twenty_buyers_waits_for_a_dead_provider() -> None:
    assert run(buyers(Scripted(UNKNOWN, after_s=2.0), 20)) == [(UNKNOWN, 2.0)] * 20


def test_with_a_breaker_only_the_first_five_wait_and_the_provider_is_left_alone() -> None:
    provider = Scripted(UNKNOWN, after_s=2.0)
    ends = run(buyers(breaker(provider), 20))
    assert ends == [(UNKNOWN, 2.0)] * 5 + [(PaymentsUnavailable, 0.0)] * 15
    assert len(provider.asked) == 5


async def opened(provider: Scripted) -> CircuitBreaker:
    """Return a breaker that has just opened."""
    guarded = breaker(provider)
    await buyers(guarded, 5)
    assert not guarded.available()
    provider.asked.clear()
    return guarded


def test_it_says_beforehand_that_nothing_may_be_asked_and_closes_after_the_recovery() -> None:
    provider = Scripted(*[UNKNOWN] * 5, CAPTURED)

    async def story() -> None:
        guarded = breaker(provider)
        assert guarded.available()
        await buyers(guarded, 5)
        assert not guarded.available()
        await asyncio.sleep(4.9)
        assert not guarded.available()
        await asyncio.sleep(0.1)
        assert guarded.available()
        assert await guarded.charge(REQUEST) is CAPTURED
        provider.after_s = 0.1
        crowd = (guarded.charge(REQUEST) for _ in range(20))
        assert await asyncio.gather(*crowd) == [CAPTURED] * 20

    run(story())
    assert len(provider.asked) == 26


@QUESTIONS
def test_while_it_is_open_questions_are_answered_at_once_and_not_passed_on(question: str) -> None:
    provider = Scripted(UNKNOWN)

    async def story() -> ChargeState:
        return await ask(await opened(provider), question)

    assert run(story()) is UNKNOWN
    assert provider.asked == []


@QUESTIONS
def test_a_question_may_be_the_probe(question: str) -> None:
    provider = Scripted(*[UNKNOWN] * 5, CAPTURED)

    async def story() -> bool:
        guarded = await opened(provider)
        await asyncio.sleep(5)
        await ask(guarded, question)
        return guarded.available()

    assert run(story())
    assert provider.asked == [KEY]


def test_half_open_one_of_a_crowd_goes_through() -> None:
    provider = Scripted(*[UNKNOWN] * 5, CAPTURED)

    async def story() -> list[object]:
        guarded = await opened(provider)
        await asyncio.sleep(5)
        provider.after_s = 1.0
        crowd = asyncio.gather(*(guarded.charge(REQUEST) for _ in range(20)), return_exceptions=True)
        await asyncio.sleep(0.5)
        assert not guarded.available()
        return [type(end) for end in await crowd]

    assert run(story()) == [ChargeState] + [PaymentsUnavailable] * 19
    assert provider.asked == [REQUEST]


def test_a_failed_probe_opens_it_for_another_five_seconds() -> None:
    provider = Scripted(UNKNOWN)

    async def story() -> None:
        guarded = await opened(provider)
        await asyncio.sleep(5)
        assert await guarded.charge(REQUEST) is UNKNOWN
        await asyncio.sleep(4.9)
        assert not guarded.available()
        await asyncio.sleep(0.1)
        assert guarded.available()

    run(story())
    assert provider.asked == [REQUEST]


def test_a_probe_whose_caller_hung_up_tells_nothing_and_the_next_call_is_the_probe() -> None:
    provider = Scripted(*[UNKNOWN] * 5, CAPTURED)

    async def story() -> ChargeState:
        guarded = await opened(provider)
        await asyncio.sleep(5)
        provider.after_s = 1.0
        probe = asyncio.create_task(guarded.charge(REQUEST))
        await asyncio.sleep(0.5)
        assert not guarded.available()
        probe.cancel()
        await asyncio.wait([probe])
        assert guarded.available()
        return await guarded.charge(REQUEST)

    assert run(story()) is CAPTURED


def test_only_failures_in_a_row_open_it() -> None:
    provider = Scripted(*[UNKNOWN] * 4, CAPTURED, *[UNKNOWN] * 4, DECLINED, *[UNKNOWN] * 5)

    async def story() -> None:
        guarded = breaker(provider)
        await buyers(guarded, 14)
        assert guarded.available()
        await buyers(guarded, 1)
        assert not guarded.available()

    run(story())


def test_a_refusal_of_the_provider_is_a_sign_of_life() -> None:
    async def story() -> None:
        guarded = breaker(Scripted(*[UNKNOWN] * 4, KeyReused, UNKNOWN))
        await buyers(guarded, 4)
        with pytest.raises(KeyReused):
            await guarded.charge(REQUEST)
        await buyers(guarded, 4)
        assert guarded.available()

    run(story())


def test_what_began_before_it_opened_neither_closes_it_nor_keeps_it_open() -> None:
    async def story() -> None:
        provider = Scripted(CAPTURED, UNKNOWN, after_s=3.0)
        guarded = breaker(provider)
        slow_success = asyncio.create_task(guarded.charge(REQUEST))
        slow_failure = asyncio.create_task(guarded.charge(REQUEST))
        await asyncio.sleep(0)
        provider.after_s = 0.0
        await buyers(guarded, 5)
        assert (await slow_success, await slow_failure, now()) == (CAPTURED, UNKNOWN, 3.0)
        assert not guarded.available()
        await asyncio.sleep(2)
        assert guarded.available()

    run(story())


def test_the_books_are_asked_for_even_while_it_is_open_and_do_not_count() -> None:
    async def story() -> None:
        provider = Scripted(UNKNOWN)
        guarded = await opened(provider)
        assert await guarded.charges_since(5.0) is None
        assert provider.asked == [5.0]
        provider.script = [CAPTURED]
        assert await guarded.charges_since(6.0) == []
        assert not guarded.available()

    run(story())


# ---- together


def test_with_no_names_nothing_is_wrapped() -> None:
    provider = Scripted(CAPTURED)
    assert guard_provider(provider, ["load-shedding"]) is provider


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("payment-timeout", PaymentTimeout),
        ("payment-retries", PaymentRetries),
        ("circuit-breaker", CircuitBreaker),
    ],
)
def test_each_name_brings_its_own_protection(name: str, kind: type) -> None:
    assert type(guard_provider(Scripted(CAPTURED), [name])) is kind


ALL = ["circuit-breaker", "payment-timeout", "payment-retries"]


def test_each_attempt_has_its_own_time_and_a_charge_that_all_of_them_failed_is_one_failure() -> None:
    provider = Scripted(CAPTURED, after_s=FOR_EVER)

    async def story() -> None:
        guarded = guard_provider(provider, ALL)
        for failures in range(1, 6):
            began = now()
            assert await guarded.charge(REQUEST) is UNKNOWN
            assert 6.0 <= now() - began <= 6.3
            assert len(provider.asked) == 3 * failures
            assert guarded.available() == (failures < 5)
        with pytest.raises(PaymentsUnavailable):
            await guarded.charge(REQUEST)

    run(story())


def test_a_provider_that_is_well_is_asked_once_and_nobody_waits() -> None:
    provider = Scripted(CAPTURED, after_s=0.08)
    ends = run(buyers(guard_provider(provider, ALL), 50))
    assert [end for end, _ in ends] == [CAPTURED] * 50
    assert [waited for _, waited in ends] == pytest.approx([0.08] * 50)
    assert len(provider.asked) == 50
