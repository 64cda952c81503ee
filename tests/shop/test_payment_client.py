"""The shop's client of the payment provider: against the real program, and against servers that break off."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import pytest

from reference_shop.domain.payments import ChargeRequest, ChargeState, KeyReused, ProviderCharge
from reference_shop.repository.payment_provider import HttpPaymentProvider
from reference_shop.request_id import current_request_id
from tests.shop.processes import Program

KEY = UUID(int=1)
CAPTURED = b'HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{"state":"captured"}'
TORN = CAPTURED[:20]


def test_a_charge_is_made_looked_up_refunded_and_told(provider: Program) -> None:
    request = ChargeRequest(uuid4(), 25_000, "tok_approved", order_id=41)

    async def story() -> list[ProviderCharge]:
        client = HttpPaymentProvider(provider.url)
        began = time.time()
        assert client.available()
        assert await client.charge(request) is ChargeState.CAPTURED
        assert await client.look_up(request.key) is ChargeState.CAPTURED
        assert await client.refund(request.key) is ChargeState.REFUNDED
        assert await client.void(request.key) is ChargeState.REFUNDED
        told = await client.charges_since(began)
        client.close()
        assert told is not None
        assert all(began <= charge.at <= time.time() for charge in told)
        return told

    (told,) = [charge for charge in asyncio.run(story()) if charge.key == request.key]
    assert told == ProviderCharge(request.key, 41, 25_000, ChargeState.REFUNDED, told.at)


def test_a_key_with_another_order_is_reused(provider: Program) -> None:
    async def story() -> None:
        client = HttpPaymentProvider(provider.url)
        key = uuid4()
        await client.charge(ChargeRequest(key, 25_000, "tok_approved", order_id=1))
        with pytest.raises(KeyReused):
            await client.charge(ChargeRequest(key, 25_000, "tok_approved", order_id=2))
        client.close()

    asyncio.run(story())


def test_what_was_never_captured_is_not_said_to_be_refunded(provider: Program) -> None:
    async def story() -> list[ChargeState]:
        client = HttpPaymentProvider(provider.url)
        declined, voided = uuid4(), uuid4()
        await client.charge(ChargeRequest(declined, 25_000, "tok_declined", order_id=1))
        await client.void(voided)
        states = [await client.refund(key) for key in (declined, voided, uuid4())]
        client.close()
        return states

    assert asyncio.run(story()) == [ChargeState.UNKNOWN] * 3


@dataclass
class Scripted:
    """A server on a port of its own: what each connection answers; a request too many is not answered."""

    connections: list[list[bytes]]
    heard: list[bytes] = field(default_factory=list)
    served: list[asyncio.Task[None]] = field(default_factory=list)

    async def serve(self, story: Callable[[HttpPaymentProvider], Awaitable[object]]) -> object:
        """Let a client tell its story; return its end."""
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        async with server:
            client = HttpPaymentProvider(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
            end = await story(client)
            client.close()
            await asyncio.gather(*self.served)
        return end

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.served.append(asyncio.create_task(self._answer(reader, writer)))

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        script = self.connections.pop(0)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                self.heard.append(head)
                if not script:
                    break
                answer = script.pop(0)
                writer.write(answer)
                if answer is TORN:
                    break
        except asyncio.IncompleteReadError:
            pass
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


def twice(client: HttpPaymentProvider) -> Awaitable[object]:
    async def ask() -> list[ChargeState]:
        return [await client.void(KEY), await client.void(KEY)]

    return ask()


def test_an_idle_connection_that_the_provider_gave_up_costs_no_answer() -> None:
    server = Scripted([[CAPTURED], [CAPTURED]])
    assert asyncio.run(server.serve(twice)) == [ChargeState.CAPTURED] * 2
    assert len(server.heard) == 3
    assert server.heard[1] == server.heard[2]


def test_it_is_sent_once_more_and_not_twice() -> None:
    server = Scripted([[CAPTURED], [], [CAPTURED]])
    assert asyncio.run(server.serve(twice)) == [ChargeState.CAPTURED, ChargeState.UNKNOWN]
    assert len(server.heard) == 3


def test_an_answer_that_had_begun_is_not_asked_for_again() -> None:
    server = Scripted([[CAPTURED, TORN], [CAPTURED]])
    assert asyncio.run(server.serve(twice)) == [ChargeState.CAPTURED, ChargeState.UNKNOWN]
    assert len(server.heard) == 2


def test_a_new_connection_that_breaks_off_is_not_tried_again() -> None:
    server = Scripted([[], [CAPTURED]])
    assert asyncio.run(server.serve(lambda client: client.void(KEY))) is ChargeState.UNKNOWN
    assert len(server.heard) == 1


def test_nobody_there_is_an_answer_too() -> None:
    async def story() -> tuple[ChargeState, object]:
        server = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
        client = HttpPaymentProvider(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        server.close()
        await server.wait_closed()
        return await client.look_up(KEY), await client.charges_since(0)

    assert asyncio.run(story()) == (ChargeState.UNKNOWN, None)


def test_the_request_that_is_being_served_is_named_to_the_provider() -> None:
    async def story(client: HttpPaymentProvider) -> None:
        await client.void(KEY)
        current_request_id.set("shop-1-a7")
        await client.look_up(KEY)

    server = Scripted([[CAPTURED, CAPTURED]])
    asyncio.run(server.serve(story))
    assert b"X-Request-ID" not in server.heard[0]
    assert b"\r\nX-Request-ID: shop-1-a7\r\n" in server.heard[1]


def charge_line(key: int) -> bytes:
    line = {"type": "charge", "idempotency_key": str(UUID(int=key)), "order_id": key, "amount_idr": 5,
            "state": "captured", "at": 12.5}  # fmt: skip
    return json.dumps(line).encode() + b"\n"


def told(body: bytes) -> object:
    """Return what the client makes of such books."""
    answer = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    return asyncio.run(Scripted([[answer]]).serve(lambda client: client.charges_since(0)))


def test_long_books_are_read_whole() -> None:
    lines = b"".join(map(charge_line, range(1, 2001)))
    assert len(lines) > 200_000  # several pieces
    books = told(lines + b'{"type":"end","lines":2000}\n')
    assert books == [ProviderCharge(UUID(int=n), n, 5, ChargeState.CAPTURED, 12.5) for n in range(1, 2001)]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        charge_line(1),
        charge_line(1) + b'{"type":"end","lines":2}\n',
        charge_line(1) + b'{"type":"end","lines":1}',  # no end of line: torn
        charge_line(1).replace(b"captured", b"forgotten") + b'{"type":"end","lines":1}\n',
        b'{"type":"charge"}\n{"type":"end","lines":1}\n',
        b"[]\n",
        b"x" * 100_000,
    ],
)
def test_books_that_were_not_told_whole_are_not_believed(body: bytes) -> None:
    assert told(body) is None
