"""The expectations are RFC 6265's own: its examples, and its sections 5.1 to 5.4."""

import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.http.cookies import CookieJar, parse_set_cookie
from tests.engine.raw_server import OK, Peer, fields, raw_server, shopper

NOW = 1_700_000_000.0  # 2023-11-14T22:13:20Z
HOST = "www.example.com"


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def jar_after(*set_cookies: str, host: str = HOST, path: str = "/") -> CookieJar:
    jar = CookieJar(lambda: NOW)
    for line in set_cookies:
        jar.take_in(line, host, path)
    return jar


def sent_back(*set_cookies: str, host: str = HOST, path: str = "/") -> str:
    """What goes to the same page again over TLS."""
    return jar_after(*set_cookies, host=host, path=path).header(host, path, secure=True)


def test_a_cookie_comes_back() -> None:
    assert sent_back("SID=31d4d96e407aad42") == "SID=31d4d96e407aad42"


def test_the_rfcs_two_cookies_come_back_in_their_order() -> None:
    lines = ("SID=31d4d96e407aad42; Path=/; Secure; HttpOnly", "lang=en-US; Path=/; Domain=example.com")
    assert sent_back(*lines) == "SID=31d4d96e407aad42; lang=en-US"


def test_the_longer_path_goes_first_and_then_the_older_cookie() -> None:
    assert sent_back("a=1; Path=/", "b=2; Path=/shop", "c=3; Path=/", path="/shop/x") == "b=2; a=1; c=3"


def test_a_renewed_cookie_keeps_its_place() -> None:
    assert sent_back("a=1", "b=2", "a=3") == "a=3; b=2"


@pytest.mark.parametrize(
    ("line", "pair"),
    [
        ("a=b=c", "a=b=c"),
        ('a="b c"', 'a="b c"'),
        ("  a = b  ", "a=b"),
        ("a=", "a="),
        ("a=b;", "a=b"),
        ("a=b; ; =; Unknown=1; HttpOnly; SameSite=Lax", "a=b"),
        ("a=b,c=d", "a=b,c=d"),
        ("Path=/elsewhere", "Path=/elsewhere"),
    ],
)
def test_name_and_value_are_taken_as_they_are(line: str, pair: str) -> None:
    assert sent_back(line) == pair


@pytest.mark.parametrize("value", ["5\xe2\x82\xac", "Fr\xc3\xbcchte", "a\xa0b"])
def test_a_value_comes_back_byte_for_byte(value: str) -> None:
    assert sent_back(f"basket={value}") == f"basket={value}"


@pytest.mark.parametrize("line", ["", "a", "=b", " =b", ";a=b", "a\x00=b", "a=b\x07c", "a=b; Domain=elsewhere.example"])
def test_a_line_that_is_no_cookie_changes_nothing(line: str) -> None:
    jar = jar_after("a=1")
    jar.take_in(line, HOST, "/")
    assert (len(jar), jar.header(HOST, "/", secure=True)) == (1, "a=1")


@given(st.binary())
def test_no_garbage_ever_puts_a_line_break_into_a_request(garbage: bytes) -> None:
    jar = CookieJar(lambda: NOW)
    jar.take_in(garbage.decode("latin-1"), HOST, "/")
    header = jar.header(HOST, "/", secure=True)
    assert header.isascii() or header.encode("latin-1")
    assert not set(header) & set("\r\n\x00")


@pytest.mark.parametrize(
    ("line", "host", "goes"),
    [
        ("a=1", "www.example.com", True),
        ("a=1", "example.com", False),
        ("a=1", "x.www.example.com", False),
        ("a=1; Domain=example.com", "www.example.com", True),
        ("a=1; Domain=.example.com", "other.example.com", True),
        ("a=1; Domain=EXAMPLE.com", "example.com", True),
        ("a=1; Domain=example.com", "notexample.com", False),
        ("a=1; Domain=www.example.com", "x.www.example.com", True),
        ("a=1; Domain=www.example.com", "example.com", False),
        ("a=1; Domain=", "www.example.com", True),
        ("a=1; Domain=", "x.www.example.com", False),
        ("a=1; Domain=other.example; Domain=example.com", "example.com", True),
    ],
)
def test_a_cookie_goes_to_its_domain(line: str, host: str, goes: bool) -> None:
    assert jar_after(line).header(host, "/", secure=False) == ("a=1" if goes else "")


@pytest.mark.parametrize("domain", ["other.example", "x.www.example.com", "ample.com", "com", ".com", "www.example.co"])
def test_a_host_sets_no_cookie_for_another(domain: str) -> None:
    assert len(jar_after(f"a=1; Domain={domain}")) == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_the_cookie_of_an_ip_address_stays_there(host: str) -> None:
    jar = jar_after("a=1", f"b=2; Domain={host}", "c=3; Domain=0.0.1", host=host)
    assert jar.header(host, "/", secure=False) == "a=1; b=2"
    assert jar.header("1.0.0.1", "/", secure=False) == ""


@pytest.mark.parametrize(
    ("line", "asked", "path", "goes"),
    [
        ("a=1; Path=/shop", "/", "/shop", True),
        ("a=1; Path=/shop", "/", "/shop/basket?x=1", True),
        ("a=1; Path=/shop", "/", "/shop?x=/", True),
        ("a=1; Path=/shop", "/", "/shopping", False),
        ("a=1; Path=/shop/", "/", "/shop", False),
        ("a=1; Path=/shop/", "/", "/shop/x", True),
        ("a=1; Path=/shop", "/", "/SHOP", False),
        ("a=1", "/shop/basket", "/shop/other", True),
        ("a=1", "/shop/basket", "/shop", True),
        ("a=1", "/shop/basket", "/", False),
        ("a=1", "/shop/basket?to=/x/y", "/shop/x", True),
        ("a=1", "/shop", "/", True),
        ("a=1; Path=relative", "/shop/basket", "/shop", True),
        ("a=1; Path=relative", "/shop/basket", "/", False),
        ("a=1; Path=/x; Path=", "/shop/basket", "/shop", True),
    ],
)
def test_a_cookie_goes_below_its_path(line: str, asked: str, path: str, goes: bool) -> None:
    assert jar_after(line, path=asked).header(HOST, path, secure=False) == ("a=1" if goes else "")


@pytest.mark.parametrize("line", ["a=1; Secure", "a=1; secure=0"])
def test_a_secure_cookie_goes_over_tls_only(line: str) -> None:
    jar = jar_after(line)
    assert (jar.header(HOST, "/", secure=False), jar.header(HOST, "/", secure=True)) == ("", "a=1")


@pytest.mark.parametrize(
    ("attributes", "expires_at"),
    [
        ("", float("inf")),
        ("Max-Age=60", NOW + 60),
        ("max-age=060", NOW + 60),
        ("Max-Age=0", 0.0),
        ("Max-Age=-1", 0.0),
        ("Max-Age=soon", float("inf")),
        ("Max-Age=", float("inf")),
        ("Max-Age=-", float("inf")),
        ("Max-Age=+5", float("inf")),
        ("Max-Age=1.5", float("inf")),
        ("Max-Age=٣", float("inf")),
        ("Max-Age=" + "9" * 400, float("inf")),
        ("Expires=Wed, 09 Jun 2021 10:18:14 GMT", 1623233894.0),
        ("Expires=Wed, 09-Jun-2021 10:18:14 GMT", 1623233894.0),
        ("Expires=Wednesday, 09-Jun-21 10:18:14 GMT", 1623233894.0),
        ("Expires=Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("Expires=Fri, 31 Dec 9999 23:59:59 GMT", 253402300799.0),
        ("Expires=soon", float("inf")),
        ("Expires=", float("inf")),
        ("Expires=Wed, 99 Jun 2021 10:18:14 GMT", float("inf")),
        ("Expires=Wed, 09 Jun 2021 10:18:14 GMT; Max-Age=60", NOW + 60),
        ("Max-Age=60; Expires=Wed, 09 Jun 2021 10:18:14 GMT", NOW + 60),
        ("Max-Age=soon; Expires=Wed, 09 Jun 2021 10:18:14 GMT", 1623233894.0),
    ],
)
def test_a_cookie_lasts_as_long_as_it_says(attributes: str, expires_at: float) -> None:
    cookie = parse_set_cookie(f"a=1; {attributes}", HOST, "/", NOW)
    assert cookie is not None
    assert cookie.expires_at == expires_at


@pytest.fixture
def new_york(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("new_york")
@pytest.mark.parametrize("date", ["Wed, 09 Jun 2021 10:18:14", "Wed Jun  9 10:18:14 2021"])
def test_a_date_without_a_zone_is_utc_wherever_the_shopper_runs(date: str) -> None:
    cookie = parse_set_cookie(f"a=1; Expires={date}", HOST, "/", NOW)
    assert cookie is not None
    assert cookie.expires_at == 1623233894.0


@pytest.mark.parametrize("attribute", ["Max-Age=0", "Expires=Thu, 01 Jan 1970 00:00:00 GMT"])
def test_a_cookie_that_has_expired_already_deletes_the_one_it_names(attribute: str) -> None:
    jar = jar_after("a=1", "b=2", "a=3; Path=/shop", f"a=; {attribute}")
    assert jar.header(HOST, "/shop", secure=True) == "a=3; b=2"


def test_a_cookie_goes_out_until_it_expires() -> None:
    clock = Clock()
    jar = CookieJar(clock)
    for line in ("a=1; Max-Age=60", "b=2; Max-Age=90", "c=3"):
        jar.take_in(line, HOST, "/")
    seen = []
    for after_s in (0, 59.9, 60, 89.9, 90, 1e9):
        clock.now = NOW + after_s
        seen.append(jar.header(HOST, "/", secure=True))
    assert seen == ["a=1; b=2; c=3"] * 2 + ["b=2; c=3"] * 2 + ["c=3"] * 2
    assert len(jar) == 1


def test_a_renewed_cookie_lasts_from_its_renewal() -> None:
    clock = Clock()
    jar = CookieJar(clock)
    jar.take_in("a=1; Max-Age=60", HOST, "/")
    clock.now += 50
    jar.take_in("a=1; Max-Age=60", HOST, "/")
    clock.now += 50
    assert jar.header(HOST, "/", secure=True) == "a=1"


def test_a_cookie_of_the_same_name_domain_and_path_replaces_the_older_one() -> None:
    assert sent_back("a=1", "a=2") == "a=2"
    assert sent_back("a=1; Path=/", "a=2; Path=/shop", path="/shop") == "a=2; a=1"


def test_field_names_are_read_in_any_case() -> None:
    lines = b"set-cookie: a=1; PATH=/; MAX-AGE=60\r\nSET-COOKIE:b=2\r\nX-Set-Cookie: c=3\r\nSet-Cookies: d=4\r\n"
    with raw_server(OK.replace(b"\r\n", b"\r\n" + lines, 1)) as server, shopper(server.url) as (client, _):
        client.get("/")
        client.get("/")
    assert [fields(request, "cookie") for request in server.requests] == [[], ["a=1; b=2"]]


def test_a_shopper_may_look_at_cookies_and_set_and_clear_them() -> None:
    jar = jar_after("a=1; Path=/", "a=2; Path=/shop")
    jar.set("consent", "yes", "WWW.example.com")
    assert (jar.get("a"), jar.get("consent"), jar.get("x"), jar.get("x", "none")) == ("2", "yes", None, "none")
    assert (jar.header(HOST, "/", secure=False), bool(jar), len(jar)) == ("a=1; consent=yes", True, 3)
    jar.clear()
    assert (jar.header(HOST, "/", secure=False), bool(jar), len(jar)) == ("", False, 0)


@pytest.mark.parametrize(
    ("name", "value"), [("a", "1\r\nX-Evil: 1"), ("a\r\nX-Evil: 1", "1"), ("a", "1\n"), ("a", "\x00"), ("a\x7f", "1")]
)
def test_a_cookie_with_a_line_break_or_another_control_character_is_refused(name: str, value: str) -> None:
    jar = jar_after("a=1")
    with pytest.raises(ValueError, match="control character"):
        jar.set(name, value, HOST)
    assert jar.header(HOST, "/", secure=True) == "a=1"


def test_the_oldest_of_too_many_cookies_goes_first() -> None:
    jar = jar_after(*(f"c{number}=1" for number in range(301)))
    assert (len(jar), jar.get("c0"), jar.get("c1"), jar.get("c300")) == (300, None, "1", "1")


def test_many_hosts_and_paths_keep_their_own_cookies() -> None:
    jar = jar_after("a=1; Path=/shop")
    for number in range(1000):
        assert jar.header(HOST, f"/shop/{number}", secure=True) == "a=1"
        assert jar.header(HOST, f"/{number}", secure=True) == ""


def test_a_visit_sends_the_cookies_that_its_answers_set() -> None:
    def script(peer: Peer) -> None:
        while request := peer.request():
            cookie = b"sid=1; Path=/" if b" /login " in request else b"sid=; Max-Age=0; Path=/"
            peer.send(OK if b" /page " in request else OK.replace(b"\r\n", b"\r\nSet-Cookie: " + cookie + b"\r\n", 1))

    with raw_server(script) as server, shopper(server.url) as (client, _):
        responses = [client.get(path) for path in ("/page", "/login", "/page", "/logout", "/page")]
    assert [fields(request, "cookie") for request in server.requests] == [[], [], ["sid=1"], ["sid=1"], []]
    assert [response.sets_cookie for response in responses] == [False, True, False, True, False]


def test_a_redirect_may_set_a_cookie_that_goes_with_the_next_request() -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 302 Found\r\nSet-Cookie: a=1\r\nLocation: /in\r\nContent-Length: 0\r\n\r\n")
        peer.request()
        peer.send(OK)

    with raw_server(script) as server, shopper(server.url) as (client, _):
        client.get("/")
    assert [fields(request, "cookie") for request in server.requests] == [[], ["a=1"]]


def test_two_shoppers_have_nothing_in_common() -> None:
    with raw_server(OK.replace(b"\r\n", b"\r\nSet-Cookie: a=1\r\n", 1)) as server:
        for _ in range(2):
            with shopper(server.url) as (client, _):
                client.get("/")
    assert [fields(request, "cookie") for request in server.requests] == [[], []]
