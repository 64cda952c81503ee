from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.http.hosts import base_url, fit_path, locate, resolve
from loadgen.http.request import HeaderLines, Request, ask, basic_auth, header_lines, with_params
from tests.engine.raw_server import body, field, fields, line, raw_server, shopper

BASE = base_url("http://shop.example:8080/")
SHOP = BASE.host


def sent(*calls: tuple[str, str, dict[str, Any]], base: str = "", **how: Any) -> list[bytes]:
    """What reaches a server from these calls: method, url, arguments."""
    with raw_server() as server, shopper(server.url + base, **how) as (client, _):
        for method, url, arguments in calls:
            client.request(method, url, **arguments)
    return server.requests


def one_sent(method: str, url: str, **arguments: Any) -> bytes:
    [request] = sent((method, url, arguments))
    return request


def test_a_get_is_these_bytes() -> None:
    request = Request("GET", SHOP, "/a?b=1", header_lines({"X-Step": "2"}))
    assert request.to_bytes() == (
        b"GET /a?b=1 HTTP/1.1\r\n"
        b"Host: shop.example:8080\r\n"
        b"X-Step: 2\r\n"
        b"User-Agent: Lonjak\r\n"
        b"Accept: */*\r\n"
        b"Accept-Encoding: gzip, deflate, br\r\n\r\n"
    )


def test_cookies_are_a_header_and_the_body_follows_the_head() -> None:
    request = Request("POST", SHOP, "/", header_lines({}, {}), b"x=1")
    assert request.to_bytes("a=1; b=2") == (
        b"POST / HTTP/1.1\r\nHost: shop.example:8080\r\nCookie: a=1; b=2\r\n\r\nx=1"
    )


@pytest.mark.parametrize("headers", [{"X-A": "1\r\nX-Evil: 1"}, {"X-A": "1\n"}, {"X-A\r": "1"}, {"X\nA": "1"}])
def test_a_header_with_a_line_break_is_refused_and_nothing_is_sent(headers: dict[str, str]) -> None:
    with raw_server() as server, shopper(server.url) as (client, samples):
        with pytest.raises(ValueError, match="line break"):
            client.get("/", headers=headers)
        assert (server.connection_count, samples) == (0, [])


@given(st.dictionaries(st.text(min_size=1), st.text()))
def test_no_header_ever_makes_a_second_line(given_headers: dict[str, str]) -> None:
    try:
        lines = header_lines(given_headers, {})
    except ValueError:
        texts = [text for pair in given_headers.items() for text in pair]
        assert any(letter in "\r\n" or letter > "\xff" for text in texts for letter in text)
    else:
        assert lines.text.split("\r\n") == [f"{name}: {value}" for name, value in given_headers.items()] + [""]
        assert lines.names == {name.lower() for name in given_headers}


def test_a_header_that_has_no_bytes_is_refused_and_nothing_is_sent() -> None:
    with raw_server() as server, shopper(server.url) as (client, samples):
        with pytest.raises(ValueError, match="latin-1"):
            client.get("/", headers={"X-Price": "5 €"})
        assert (server.connection_count, samples) == (0, [])


def test_a_method_with_a_line_break_is_refused_and_nothing_is_sent() -> None:
    with raw_server() as server, shopper(server.url) as (client, samples):
        with pytest.raises(ValueError, match="method"):
            client.request("GET / HTTP/1.1\r\nX-Evil: 1\r\n\r\nGET", "/")
        assert (server.connection_count, samples) == (0, [])


def test_a_header_replaces_a_default_whatever_its_case() -> None:
    assert fields(one_sent("GET", "/", headers={"user-agent": "mine"}), "user-agent") == ["mine"]


def test_a_default_header_replaces_our_own_whatever_its_case() -> None:
    [request] = sent(("GET", "/", {}), headers={"user-agent": "mine"})
    assert fields(request, "user-agent") == ["mine"]


def test_a_header_of_none_takes_a_default_away() -> None:
    request = one_sent("GET", "/", headers={"Accept": None})
    assert (fields(request, "accept"), fields(request, "user-agent")) == ([], ["Lonjak"])


def test_a_host_header_stands_in_the_place_of_the_addresss() -> None:
    assert fields(one_sent("GET", "/", headers={"Host": "shop.example"}), "host") == ["shop.example"]


def test_a_content_length_of_ones_own_is_the_only_one() -> None:
    request = one_sent("POST", "/", data=b"abc", headers={"Content-Length": "3"})
    assert fields(request, "content-length") == ["3"]


def test_header_lines_made_once_serve_every_request() -> None:
    lines = header_lines({"Accept": "image/webp"})
    requests = sent(("GET", "/a", {"headers": lines}), ("GET", "/b", {"headers": lines, "auth": ("u", "p")}))
    assert isinstance(lines, HeaderLines)
    assert [field(request, "accept") for request in requests] == ["image/webp"] * 2
    assert [field(request, "authorization") for request in requests] == ["", "Basic dTpw"]


@pytest.mark.parametrize(
    ("path", "as_sent"),
    [
        ("/a b", "/a%20b"),
        ("/bücher?q=größe", "/b%C3%BCcher?q=gr%C3%B6%C3%9Fe"),
        ("/a%20b?x=%C3%BC", "/a%20b?x=%C3%BC"),
        ("/a#top", "/a"),
        ("#top", "/"),
        ("", "/"),
        ("/a\r\nX-Evil: 1", "/a%0D%0AX-Evil:%201"),
        ("/a\x7f\t", "/a%7F%09"),
        ("/a;b=1,2:@!$&'()*+~?c[]=/", "/a;b=1,2:@!$&'()*+~?c[]=/"),
        ('/"a"<b>', "/%22a%22%3Cb%3E"),
    ],
)
def test_a_path_is_escaped_where_it_must_be(path: str, as_sent: str) -> None:
    assert fit_path(path) == as_sent


@pytest.mark.parametrize(
    "path",
    [
        "/cart;x.css",
        "/cart/x.css",
        "/account/%2e%2e/x",
        "/account/../product/1",
        "/account%2fx.css",
        "/cart%0a.css",
        "/cart%00.css",
        "/cart%23.css",
        "//cart",
        "/cart?x=.css",
        "/CART/.%2E/;jsessionid=1?a=1&a=2",
    ],
)
def test_a_path_that_looks_for_a_cache_in_two_minds_is_sent_as_it_is(path: str) -> None:
    assert line(one_sent("GET", path)) == f"GET {path}"
    assert line(one_sent("GET", path, headers={"Accept": "text/css"})) == f"GET {path}"


def test_a_header_of_16_kib_is_sent_whole() -> None:
    request = one_sent("GET", "/", headers={"X-Oversized": "x" * 16_384})
    assert fields(request, "x-oversized") == ["x" * 16_384]


def test_what_a_probe_says_is_sent_unchanged() -> None:
    said = {
        "X-HTTP-Method-Override": "POST",
        "X-Forwarded-Host": "evil.example",
        "X-Original-URL": "/ops/truth",
        "Host": "evil.example:81",
        "Cache-Control": "no-cache",
        "Range": "bytes=0-1",
        "Transfer-Encoding ": " chunked",
        "X-Meta": "\x07\xff",
    }
    request = one_sent("GET", "/", headers={**said, "User-Agent": None, "Accept": None, "Accept-Encoding": None})
    lines = [f"{name}: {value}" for name, value in said.items()]
    assert request.decode("latin-1").split("\r\n") == ["GET / HTTP/1.1", *lines, "", ""]


def test_a_get_may_have_a_body() -> None:
    request = one_sent("GET", "/", data=b"x=1")
    assert (line(request), field(request, "content-length"), body(request)) == ("GET /", "3", b"x=1")


@pytest.mark.parametrize(("own", "sent_cookies"), [("a=2; b=3", ["a=2; b=3"]), ("", [""]), (None, [])])
def test_a_cookie_header_of_ones_own_stands_in_the_place_of_the_jars(own: str | None, sent_cookies: list[str]) -> None:
    with raw_server() as server, shopper(server.url) as (client, _):
        client.cookies.take_in("a=1", "127.0.0.1", "/")
        client.get("/")
        client.get("/", headers={"Cookie": own})
    assert [fields(request, "cookie") for request in server.requests] == [["a=1"], sent_cookies]


@given(st.text())
def test_no_path_breaks_out_of_the_request_line(path: str) -> None:
    try:
        fitted = fit_path(f"/{path}")
    except UnicodeEncodeError:
        return  # half a surrogate pair has no bytes
    assert fitted.isascii()
    assert fitted.isprintable()
    assert " " not in fitted


@pytest.mark.parametrize(
    ("url", "params", "target"),
    [
        ("/s", {"q": "a b"}, "/s?q=a+b"),
        ("/s?x=1", {"q": "ü&="}, "/s?x=1&q=%C3%BC%26%3D"),
        ("/s", {"id": [1, 2]}, "/s?id=1&id=2"),
        ("/s", {}, "/s"),
        ("/s#top", {"q": "a"}, "/s?q=a"),
    ],
)
def test_parameters_follow_the_path(url: str, params: dict[str, Any], target: str) -> None:
    assert line(one_sent("GET", url, params=params)) == f"GET {target}"


def test_parameters_are_appended_to_a_query() -> None:
    assert with_params("/s?x=1", {"y": 2}) == "/s?x=1&y=2"


@pytest.mark.parametrize(
    ("arguments", "content", "kind"),
    [
        ({"json": {"a": [1, "ü"]}}, b'{"a": [1, "\\u00fc"]}', "application/json"),
        ({"json": []}, b"[]", "application/json"),
        ({"json": 0}, b"0", "application/json"),
        ({"data": {"a": "ü b", "c": ["1", "2"]}}, b"a=%C3%BC+b&c=1&c=2", "application/x-www-form-urlencoded"),
        ({"data": [("a", "1"), ("a", "2")]}, b"a=1&a=2", "application/x-www-form-urlencoded"),
        ({"data": "größe"}, "größe".encode(), ""),
        ({"data": b"\x00\xff"}, b"\x00\xff", ""),
        ({"data": bytearray(b"ab")}, b"ab", ""),
        ({"data": b"<a/>", "headers": {"content-type": "text/xml"}}, b"<a/>", "text/xml"),
        ({"json": {}, "headers": {"Content-Type": "application/ld+json"}}, b"{}", "application/ld+json"),
        ({"data": {}, "json": {"a": 1}}, b'{"a": 1}', "application/json"),
        ({"data": {"a": 1}, "json": {"b": 1}}, b"a=1", "application/x-www-form-urlencoded"),
        ({}, b"", ""),
    ],
)
def test_a_body_goes_out_with_its_length_and_kind(arguments: dict[str, Any], content: bytes, kind: str) -> None:
    request = one_sent("POST", "/", **arguments)
    assert body(request) == content
    assert fields(request, "content-length") == [str(len(content))]
    assert field(request, "content-type") == kind


@pytest.mark.parametrize(
    ("method", "length"), [("GET", ""), ("HEAD", ""), ("OPTIONS", ""), ("DELETE", ""), ("PUT", "0"), ("PATCH", "0")]
)
def test_only_methods_that_mean_a_body_tell_that_it_is_empty(method: str, length: str) -> None:
    assert field(one_sent(method, "/"), "content-length") == length


@pytest.mark.parametrize("method", ["GET", "DELETE", "OPTIONS"])
def test_any_method_may_have_a_body(method: str) -> None:
    request = one_sent(method, "/", data=b"abc")
    assert (body(request), field(request, "content-length")) == (b"abc", "3")


@pytest.mark.parametrize(
    ("name", "arguments", "content"),
    [
        ("get", {}, b""),
        ("options", {}, b""),
        ("delete", {"json": [1]}, b"[1]"),
        ("post", {"data": {"a": 1}}, b"a=1"),
        ("put", {"data": b"b"}, b"b"),
        ("patch", {"json": {"c": 1}}, b'{"c": 1}'),
    ],
)
def test_each_method_has_a_call_of_its_name(name: str, arguments: dict[str, Any], content: bytes) -> None:
    with raw_server() as server, shopper(server.url) as (client, samples):
        assert getattr(client, name)("/x", **arguments).text == "ok"
    assert [(line(request), body(request)) for request in server.requests] == [(f"{name.upper()} /x", content)]
    assert [sample["request_type"] for sample in samples] == [name.upper()]


def test_basic_auth_is_rfc_7617s_own_example() -> None:
    assert basic_auth("Aladdin", "open sesame") == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
    assert basic_auth("test", "123£") == "Basic dGVzdDoxMjPCow=="
    assert basic_auth(b"test", b"123\xc2\xa3") == "Basic dGVzdDoxMjPCow=="


def test_credentials_may_be_an_argument() -> None:
    assert field(one_sent("GET", "/", auth=("Aladdin", "open sesame")), "authorization") == (
        "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
    )


def credentialed(url: str) -> str:
    return url.replace("://", "://Aladdin:open%20sesame@")


def test_credentials_of_the_base_url_go_with_every_request_and_are_never_shown() -> None:
    with raw_server() as server, shopper(credentialed(server.url)) as (client, samples):
        response = client.get("/a")
        client.get("/b", auth=("u", "p"))
    assert [field(request, "authorization") for request in server.requests] == [
        "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
        "Basic dTpw",
    ]
    assert [field(request, "host") for request in server.requests] == [f"127.0.0.1:{server.port}"] * 2
    assert (response.url, client.base_url) == (f"{server.url}/a", server.url)
    assert [(sample["name"], sample["url"]) for sample in samples] == [
        ("/a", f"{server.url}/a"),
        ("/b", f"{server.url}/b"),
    ]


def test_credentials_of_the_base_url_go_with_header_lines_made_once_too() -> None:
    with raw_server() as server, shopper(credentialed(server.url)) as (client, _):
        client.get("/", headers=header_lines({"Accept": "image/webp"}))
    assert field(server.requests[0], "authorization") == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="


def test_credentials_of_an_absolute_address_are_never_shown() -> None:
    with raw_server() as server, shopper(server.url) as (client, samples):
        client.get(f"{server.url.replace('://', '://u:secret@')}/a")
    assert (samples[0]["name"], samples[0]["url"]) == (f"{server.url}/a", f"{server.url}/a")


def test_credentials_of_the_base_url_are_for_its_host_only() -> None:
    with raw_server() as shop, raw_server() as other, shopper(credentialed(shop.url)) as (client, _):
        client.get(f"{other.url}/a")
    assert fields(other.requests[0], "authorization") == []


@pytest.mark.parametrize("url", ["u:secret@shop.example", "ftp://u:secret@shop.example/"])
def test_a_base_url_that_is_none_is_refused_without_telling_its_password(url: str) -> None:
    with pytest.raises(ValueError, match="http://") as refused, shopper(url):
        pass
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("base", "url", "target"),
    [
        ("", "/a", "/a"),
        ("/", "/a", "/a"),
        ("/shop", "/a?b=1", "/shop/a?b=1"),
        ("/shop/", "a", "/shop/a"),
        ("/shop", "", "/shop/"),
        ("/sh op", "/a", "/sh%20op/a"),
    ],
)
def test_a_relative_address_is_appended_to_the_base_url(base: str, url: str, target: str) -> None:
    [request] = sent(("GET", url, {}), base=base)
    assert line(request) == f"GET {target}"


@pytest.mark.parametrize(
    ("url", "host", "path"),
    [
        ("/a b#top", "shop.example:8080", "/de/a%20b"),
        ("?q=1", "shop.example:8080", "/de?q=1"),
        ("#top", "shop.example:8080", "/de"),
        ("https://other.example/x y?z#top", "other.example", "/x%20y?z"),
        ("/" + "x" * 1000, "shop.example:8080", "/de/" + "x" * 1000),
    ],
)
def test_an_address_is_resolved_to_a_host_and_what_may_be_sent(url: str, host: str, path: str) -> None:
    base = base_url("http://shop.example:8080/de/")
    found, fitted = resolve(base, url)
    assert (found.header, fitted) == (host, path)
    assert (found is base.host) == (host == base.host.header)


def test_an_absolute_address_goes_where_it_says() -> None:
    with raw_server() as shop, raw_server() as other, shopper(f"{shop.url}/shop") as (client, samples):
        response = client.get(f"{other.url}?a=1#top")
    assert [line(request) for request in other.requests] == ["GET /?a=1"]
    assert (shop.requests, response.url) == ([], f"{other.url}/?a=1")
    assert [sample["name"] for sample in samples] == [f"{other.url}?a=1#top"]


@pytest.mark.parametrize("url", ["http://", "https:///a", "http://[::1/", "http://shop.example:99999/"])
def test_an_address_that_is_none_is_a_value_error_and_no_sample(url: str) -> None:
    with shopper("http://127.0.0.1:9") as (client, samples):
        with pytest.raises(ValueError):  # noqa: PT011 - some are the standard library's words
            client.get(url)
        assert samples == []


@pytest.mark.parametrize("status", [301, 302, 303])
def test_a_redirected_post_becomes_a_get_without_its_body(status: int) -> None:
    asked = ask(BASE, header_lines({"X-A": "1"}, {}), "POST", "/a", json={"a": 1})
    assert {"content-type", "content-length"} < asked.headers.names
    onward = asked.following(status, SHOP, "/b")
    assert onward.to_bytes() == b"GET /b HTTP/1.1\r\nHost: shop.example:8080\r\nX-A: 1\r\n\r\n"


@pytest.mark.parametrize("status", [307, 308])
def test_307_and_308_keep_method_and_body(status: int) -> None:
    onward = ask(BASE, header_lines({}, {}), "PUT", "/a", data=b"abc").following(status, SHOP, "/b")
    assert onward.to_bytes() == b"PUT /b HTTP/1.1\r\nHost: shop.example:8080\r\nContent-Length: 3\r\n\r\nabc"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirected_head_stays_a_head(status: int) -> None:
    assert Request("HEAD", SHOP, "/a", header_lines({}, {})).following(status, SHOP, "/b").method == "HEAD"


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_301_and_302_leave_what_is_no_post_as_it_is_as_browsers_do(method: str) -> None:
    asked = Request(method, SHOP, "/a", header_lines({"Content-Length": "1"}, {}), b"x")
    onward = asked.following(302, SHOP, "/b")
    assert (onward.method, onward.headers.text, onward.body) == (method, "Content-Length: 1\r\n", b"x")


@pytest.mark.parametrize("there", ["http://other.example:8080/", "http://shop.example/", "https://shop.example:8080/"])
def test_authorization_and_cookies_of_ones_own_stay_with_scheme_host_and_port(there: str) -> None:
    asked = Request("GET", SHOP, "/a", header_lines({"authorization": "Basic dTpw", "X-A": "1", "Cookie": "a=1"}, {}))
    onward = asked.following(302, locate(there)[0], "/").headers
    assert (onward.text, onward.names) == ("X-A: 1\r\n", {"x-a"})
    assert asked.following(302, SHOP, "/").headers.text == asked.headers.text


def test_header_lines_lose_only_those_named() -> None:
    lines = header_lines({"A": "1", "b-c": "2", "B": "3", "D": "b-c: 4"}, {})
    left = lines.without("b-c", "x")
    assert (left.text, left.names) == ("A: 1\r\nB: 3\r\nD: b-c: 4\r\n", {"a", "b", "d"})
    assert lines.without("x").text == lines.text
    assert "b-c" in lines.names  # what was made once stays as it is


def test_header_lines_with_one_more_know_its_name_and_refuse_a_second_line() -> None:
    lines = header_lines({"A": "1"}, {})
    more = lines.plus("X-B", "2")
    assert (more.text, more.names) == ("A: 1\r\nX-B: 2\r\n", {"a", "x-b"})
    assert (lines.text, lines.names) == ("A: 1\r\n", {"a"})
    for name, value in (("X-B", "2\r\nX-Evil: 1"), ("X\nB", "2"), ("X-B", "2\r")):
        with pytest.raises(ValueError, match="line break"):
            lines.plus(name, value)


def test_requests_in_a_renaming_block_share_its_name_unless_they_have_one() -> None:
    with raw_server() as server, shopper(server.url) as (client, samples):
        with client.rename_request("product"):
            client.get("/p/1")
            client.get("/p/2", name="special")
        client.get("/p/3")
    assert [sample["name"] for sample in samples] == ["product", "special", "/p/3"]
