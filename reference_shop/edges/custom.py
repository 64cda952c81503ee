"""A user's own configuration as an edge: a file of theirs, which is a Jinja2 template with the names below.

For nginx:
    port                where to listen, on 127.0.0.1
    origin_address      HOST:PORT to pass on to; `origin.host`, `origin.port` and `origin.secure` are its parts
    host_header         what to send as Host
    worker_count        how many processes may serve
    access_log          where the access log goes, relative to nginx's prefix; `pid` likewise
    name                what this cache is called in Cache-Status
    is_shop, scheme     whether the reference shop is behind; the scheme of shoppers' addresses
    personal, pages     alternatives of a pattern for personal addresses; HTML for failures (`pages.unreachable`, …)
    host_key            how a host enters the cache's key; `file_limit`: how many files a worker may open
and files of `templates/` that begin with `_` can be included: `{% include "_own_folders.conf.jinja" %}`, without which
an unprivileged nginx does not start, `_request_id`, `_access_log`, `_clients`, `_compression`. `daemon off;`, `pid` and
`error_log` are given on the command line where the file does not say them.

For Varnish, a file that ends in `.vcl`:
    origin.host, origin.port                the backend
    name, is_shop, scheme, personal, pages  as above
The access log's word for what the cache did is what the VCL says by `std.log("cache:" + …)`.
"""

import re
from collections.abc import Mapping
from pathlib import Path

import jinja2

from reference_shop.edges import nginx, user_files, varnish
from reference_shop.edges.rendering import render_text
from reference_shop.edges.site import EdgeProcess, Site
from reference_shop.edges.varnish import VarnishTier

# What a configuration of ours must say, unless it says so itself.
_NEEDED = {"daemon": "daemon off;", "pid": "pid nginx.pid;", "error_log": "error_log stderr warn;"}


def nginx_edge(site: Site, port: int) -> tuple[EdgeProcess]:
    """The user's nginx on `port`. Raises ValueError, one sentence, when the file is no template of these names."""
    text = _render(site, nginx.values_for_users(site, port))
    directives = " ".join(said for name, said in _NEEDED.items() if not re.search(rf"(?m)^\s*{name}\s", text))
    files = {nginx.CONFIGURATION: text}
    return (nginx.nginx_process(site, "edge", "edge", files, port, cache="lonjak-nginx", directives=directives),)


def varnish_edge(site: Site, port: int) -> tuple[EdgeProcess, EdgeProcess]:
    """The user's Varnish on `port`, with its log. Raises ValueError like `nginx_edge`."""
    vcl = _render(site, varnish.values_for_users(site))
    return varnish.varnish_processes(site, VarnishTier("edge", "edge", "lonjak-varnish", port), vcl)


def _render(site: Site, values: Mapping[str, object]) -> str:
    config = Path(site.options.config or "")
    text = user_files.read(config)
    if problems := user_files.problems(config):
        raise ValueError(problems[0])
    try:
        return render_text(text, values)
    except jinja2.TemplateNotFound as error:
        raise ValueError(f"the edge configuration {config} includes {error.message}, which is none of ours") from None
    except jinja2.TemplateError as error:
        raise ValueError(f"the edge configuration {config} cannot be filled in: {error.message}") from None
