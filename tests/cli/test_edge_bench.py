"""The arithmetic of the bench's sections about the edge, and the attacks as they go over the wire."""

import socket
import threading
from collections import Counter

import pytest

from lonjak.bench.attack_client import Attack, Outcome, attack, corpus
from lonjak.bench.waf import measured


def test_the_corpus_has_many_attacks_of_each_class_and_no_two_alike() -> None:
    attacks = corpus()
    assert len(attacks) >= 50
    assert len({each.to_bytes("shop") for each in attacks}) == len(attacks)
    assert min(Counter(each.kind for each in attacks).values()) >= 2


def test_an_attack_is_sent_as_it_stands_with_a_browsers_headers_around_it() -> None:
    sent = Attack("x", "/..%2f?q='", "POST", {"User-Agent": "sqlmap/1"}, "a=1'").to_bytes("127.0.0.1:80")
    head, _, body = sent.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"POST /..%2f?q=' HTTP/1.1"
    assert b"User-Agent: sqlmap/1" in lines
    assert {b"Host: 127.0.0.1:80", b"Content-Length: 4", b"Connection: close"} <= set(lines)
    assert body == b"a=1'"


def test_what_the_shop_did_not_answer_itself_was_stopped() -> None:
    answers = [b"HTTP/1.1 403 Forbidden\r\n\r\n", b"HTTP/1.1 404 Not Found\r\nX-Page-Kind: other\r\n\r\n", b""]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=_answer_in_turn, args=(listener, answers))
        server.start()
        outcomes = attack(listener.getsockname()[1], [Attack("a", "/1"), Attack("a", "/2"), Attack("b", "/3")])
        server.join()
    assert outcomes == [Outcome("a", 403, False), Outcome("a", 404, True), Outcome("b", 0, False)]


def _answer_in_turn(listener: socket.socket, answers: list[bytes]) -> None:
    for answer in answers:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65_536)
            connection.sendall(answer)


def test_a_level_counts_what_it_kept_out_by_class_and_what_shoppers_were_refused() -> None:
    summary = {
        "requests": {"count": 4000},
        "errors": {"by_page_kind": {"search": {"http_4xx": 3, "timeout": 1}, "cart": {"http_4xx": 2}}},
        "sessions": {"arrived_count": 100},
        "orders": {"acknowledged_count": 7},
        "response_time_ms": {"all": {"p99": 43.1}, "product": {"p99": 12.5}},
    }
    outcomes = [Outcome("sql", 403, False), Outcome("sql", 200, True), Outcome("xss", 403, False)]
    found = measured(2, outcomes, summary, edge_s=6.0)
    assert (found.stopped_count, found.attack_count) == (2, 3)
    assert found.stopped == {"sql": (1, 2), "xss": (1, 1)}
    assert (found.blocked_count, found.order_count, found.p99_ms) == (5, 7, 12.5)
    assert found.edge_cpu_s_per_1000 == pytest.approx(1.5)
