"""Whether a target is the bundled shop: one look at its front page, before any load and outside all records."""

from __future__ import annotations

from pathlib import Path

from locust.event import EventHook

from loadgen.errors import TargetRefused
from loadgen.failures import failure_class
from loadgen.http.client import ShopperClient, Timeouts
from loadgen.http.tls import client_context
from loadgen.target import without_credentials
from scenarios.browser_headers import Fetch, headers_for
from scenarios.reference_facts import MARK

_PATIENCE_S = 4.0
_TIMEOUTS = Timeouts(connect_s=2.0, read_s=_PATIENCE_S, total_s=_PATIENCE_S)
_SAID = {
    "timeout": f"nothing came back within {_PATIENCE_S:g} s",
    "tls": "no TLS connection could be made",
    "connect": "the connection failed",
    "protocol": "it does not speak HTTP",
}


def why_not_recognised(target: str, ca_file: Path | None = None) -> str | None:
    """None when the front page at `target` carries the bundled shop's mark, else a sentence about what is there.

    `ca_file` is an authority to trust beside the machine's; without it, the one of this process's run.

    Raises TargetRefused when the front page redirects to a host that nobody allowed.
    """
    context = client_context(authority=str(ca_file)) if ca_file else None
    client = ShopperClient(target, EventHook(), timeouts=_TIMEOUTS, tls_context=context)  # type: ignore[no-untyped-call]
    try:
        response = client.request("GET", "/", headers=headers_for(Fetch.PAGE, "web"), catch_response=True)
        with response:
            status, text, error = response.status_code, response.text, response.error
    finally:
        client.close()
    if status == 200 and error is None and MARK in text:
        return None
    said = _failed(target, error, status) if error else f"its front page answers {status}"
    if status == 200 and error is None:
        said = "its front page does not carry the shop's mark"
    return (
        f"{without_credentials(target)} is not the bundled shop ({said}): "
        "start it with `lonjak shop up`, or name its address with --target"
    )


def _failed(target: str, error: BaseException, status: int) -> str:
    kind = failure_class(error, status)
    if kind == "refused":
        raise TargetRefused(f"the front page of {without_credentials(target)} redirects elsewhere: {error}") from None
    return _SAID.get(kind) or f"its front page was not had: {error}"
