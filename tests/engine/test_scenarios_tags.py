"""Browsers whose addresses carry a parameter of their own."""

from types import SimpleNamespace, TracebackType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from scenarios.tagged_browser import TaggedBrowser, tagged


class _Unanswered:
    """What the client gives for a request that nobody answered."""

    status_code = 0
    text = ""
    content = b""

    def header(self, _name: str) -> str:
        return ""

    def __enter__(self) -> "_Unanswered":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


class _Client:
    def __init__(self) -> None:
        self.asked: list[str] = []

    def request(self, _method: str, url: str, **_options: object) -> _Unanswered:
        self.asked.append(url)
        return _Unanswered()


def browser_of(number: int, at: float) -> tuple[TaggedBrowser, list[str]]:
    session: Any = SimpleNamespace(number=number, at=at, segment="phone", client=_Client())
    return TaggedBrowser(session, "http://127.0.0.1:8080"), session.client.asked


def unread(_answer: object) -> Any:
    raise AssertionError


def test_no_two_addresses_are_the_same_between_pages_sessions_and_runs() -> None:
    asked: list[str] = []
    for number, at in ((1, 1000.0), (2, 1000.0), (1, 2000.0)):
        browser, addresses = browser_of(number, at)
        for url in ("/product/1", "/product/1", "/search?q=kopi"):
            browser.open("product", url, unread)
        asked += addresses
    assert len(set(asked)) == 9
    assert {urlsplit(url).path for url in asked} == {"/product/1", "/search"}
    assert {name for url in asked for name, _ in parse_qsl(urlsplit(url).query)} == {"q", "utm_id"}


def test_a_tag_leaves_what_the_page_is_asked_with() -> None:
    assert tagged("/product/1", "7-1") == "/product/1?utm_id=7-1"
    assert tagged("/search?q=kopi+susu", "7-1") == "/search?q=kopi+susu&utm_id=7-1"
