"""A user's own configuration: filled in, run, and refused in one sentence when it is not what it should be."""

import re
from pathlib import Path

import pytest

from reference_shop.edges import PROFILES, EdgeOptions, nginx, varnish
from reference_shop.edges.layout import Origin, Site, lay_out
from reference_shop.edges.user_files import NAMES_FOR_NGINX, NAMES_FOR_VARNISH
from tests.edges.origin import TestOrigin
from tests.edges.running import running

_NGINX = """\
worker_processes {{ worker_count }};
events {}
http {
{% include "_own_folders.conf.jinja" %}
{% include "_request_id.conf.jinja" %}
    map $upstream_cache_status $cache_word { default $upstream_cache_status; "" none; HIT hit; MISS miss; }
{% include "_access_log.conf.jinja" %}
    proxy_cache_path cache keys_zone=mine:1m;
    add_header Cache-Status "{{ name }}; {% raw %}$cache_word{% endraw %}";
    server {
        listen 127.0.0.1:{{ port }};
        location / {
            proxy_cache mine;
            proxy_pass http://{{ origin_address }};
        }
    }
}
"""
_VARNISH = """\
vcl 4.1;
import std;
backend shop { .host = "{{ origin.host }}"; .port = "{{ origin.port }}"; }
sub vcl_deliver { set resp.http.Cache-Status = "{{ name }}; mine"; std.log("cache:hit"); }
"""


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [("own.conf", _NGINX, "lonjak-nginx; miss"), ("own.vcl", _VARNISH, "lonjak-varnish; mine")],
)
@pytest.mark.parametrize("tls", [False, True])
def test_a_users_own_configuration_is_run(tmp_path: Path, name: str, text: str, said: str, tls: bool) -> None:
    origin = TestOrigin()
    origin.open()
    options = EdgeOptions(config=str(tmp_path / name), tls=tls)
    (tmp_path / name).write_text(text)
    with running("custom", origin.port, options) as edge:
        page = origin.page()
        answer = edge.get(page)
        assert (answer.text, answer.said()) == ("x" * 2000, said)
        assert [process.cache for process in edge.processes if process.cache] == [said.partition(";")[0]]
        assert [process.role for process in edge.processes if process.role == "edge-front"] == ["edge-front"] * tls
    origin.die()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("listen {{ prot }};", "names 'prot', which is none of access_log, file_limit, host_header, .*, worker_count"),
        ("listen {{ port };", "is no template, line 1: .*"),
    ],
)
def test_a_file_that_is_no_template_of_ours_is_said_before_anything_starts(
    tmp_path: Path, text: str, sentence: str
) -> None:
    own = tmp_path / "own.conf"
    own.write_text(text)
    (told,) = EdgeOptions(config=str(own)).problems(PROFILES["custom"])
    assert re.fullmatch(f"the edge configuration {own} {sentence}", told)
    with pytest.raises(ValueError, match=re.escape(told)):
        lay_out(_site(tmp_path))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{% include "_nothing.jinja" %}', "includes _nothing.jinja, which is none of ours"),
        ("listen {{ origin.door }};", "cannot be filled in: .* has no attribute 'door'"),
    ],
)
def test_what_shows_only_when_a_file_is_filled_in_is_one_sentence_too(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "own.conf").write_text(text)
    with pytest.raises(ValueError, match=f"^the edge configuration {tmp_path}/own.conf {sentence}$"):
        lay_out(_site(tmp_path))


def test_the_names_that_are_checked_are_those_that_are_filled_in(tmp_path: Path) -> None:
    site = _site(tmp_path)
    assert nginx.values_for_users(site, 1).keys() == NAMES_FOR_NGINX
    assert varnish.values_for_users(site).keys() == NAMES_FOR_VARNISH


def test_a_file_that_cannot_be_read_is_said_before_anything_starts(tmp_path: Path) -> None:
    custom, missing, binary = PROFILES["custom"], str(tmp_path / "missing.vcl"), tmp_path / "binary.conf"
    binary.write_bytes(b"\xff\xfe")
    told = {
        None: "the edge profile custom needs a file: give it with --edge-config",
        missing: f"the edge configuration {missing} cannot be read: No such file or directory",
        str(binary): f"the edge configuration {binary} cannot be read: it is not UTF-8 text",
    }
    for config, sentence in told.items():
        assert EdgeOptions(config=config).problems(custom) == [sentence]
    assert EdgeOptions(config=missing).problems(PROFILES["nginx"]) == [
        "--edge-config is for the edge profile custom, not for nginx"
    ]


def test_what_the_users_nginx_does_not_say_is_said_on_its_command_line(tmp_path: Path) -> None:
    (tmp_path / "own.conf").write_text("events {}\n")
    (process,) = lay_out(_site(tmp_path))
    assert process.command[-2:] == ("-g", "daemon off; pid nginx.pid; error_log stderr warn;")
    (tmp_path / "own.conf").write_text("daemon off;\npid my.pid;\nevents {}\n")
    (process,) = lay_out(_site(tmp_path))
    assert process.command[-2:] == ("-g", "error_log stderr warn;")


def _site(folder: Path) -> Site:
    return Site(
        profile=PROFILES["custom"],
        options=EdgeOptions(config=str(folder / "own.conf")),
        origin=Origin("127.0.0.1", 65000),
        public_ports=(65001,),
        inner_ports={"cache": 65002},
        folder=folder,
        worker_count=1,
    )
