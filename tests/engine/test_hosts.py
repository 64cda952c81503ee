import socket

import pytest

from loadgen.http.hosts import Host, base_url, locate


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://shop.example", "shop.example shop.example 80 False /"),
        ("http://shop.example:80/a", "shop.example shop.example 80 False /a"),
        ("https://shop.example:443/a?b#c", "shop.example shop.example 443 True /a?b"),
        ("https://shop.example:80", "shop.example shop.example:80 80 True /"),
        ("http://SHOP.Example:8080/A", "shop.example shop.example:8080 8080 False /A"),
        ("http://u:p@shop.example/", "shop.example shop.example 80 False /"),
        ("http://[::1]:8080/", "::1 [::1]:8080 8080 False /"),
        ("https://[2001:DB8::1]", "2001:db8::1 [2001:db8::1] 443 True /"),
        ("http://shop.example?a=1", "shop.example shop.example 80 False /?a=1"),
    ],
)
def test_an_address_names_host_port_and_path(url: str, shown: str) -> None:
    host, path = locate(url)
    assert f"{host.name} {host.header} {host.port} {host.secure} {path}" == shown


def test_a_host_with_letters_beyond_ascii_is_named_as_the_wire_wants_it() -> None:
    assert locate("http://bücher.example/")[0].header == "xn--bcher-kva.example"


def test_the_same_host_is_one_object_however_it_is_written() -> None:
    assert locate("http://shop.example/a")[0] is locate("http://SHOP.example:80/b?c")[0]
    assert locate("http://shop.example/")[0] is not locate("https://shop.example/")[0]
    assert locate("http://shop.example:81/")[0] is not locate("http://shop.example/")[0]


@pytest.mark.parametrize(
    "url", ["", "shop.example", "/a", "ftp://shop.example", "http://", "http://:80/", "http://x:y"]
)
def test_what_is_no_address_of_the_web_is_refused(url: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - some are the standard library's words
        locate(url)
    with pytest.raises(ValueError):  # noqa: PT011
        base_url(url)


def test_a_base_url_is_taken_apart() -> None:
    base = base_url("https://us%40er:p%3Aw@shop.example:8443/de/?x=1#y")
    assert (base.text, base.path, base.credentials, base.host.header) == (
        "https://shop.example:8443/de",
        "/de",
        ("us@er", "p:w"),
        "shop.example:8443",
    )
    assert base_url("http://shop.example").credentials is None
    assert base_url("http://user@shop.example").credentials == ("user", "")


def test_a_name_leads_to_addresses_and_ipv6_is_left_out_on_request() -> None:
    host = Host("http", "127.0.0.1", 81)
    assert host.addresses(only_ipv4=False) == ((socket.AF_INET, ("127.0.0.1", 81)),)
    assert Host("http", "::1", 81).addresses(only_ipv4=False) == ((socket.AF_INET6, ("::1", 81, 0, 0)),)
    assert Host("http", "::1", 81).addresses(only_ipv4=True) == ()
