"""Whether a target is the bundled shop: one look at its front page, before any load and outside all records."""

from __future__ import annotations

from locust.event import EventHook

from loadgen.client import ShopperClient, Timeouts
from scenarios.browser_headers import Fetch, headers_for
from scenarios.reference_pages import MARK

_TIMEOUTS = Timeouts(connect_s=2.0, read_s=3.0, total_s=4.0)


def why_not_recognised(target: str) -> str | None:
    """None when the front page at `target` carries the bundled shop's mark, else a sentence about what is there."""
    client = ShopperClient(target, EventHook(), timeouts=_TIMEOUTS)  # type: ignore[no-untyped-call]
    try:
        response = client.request("GET", "/", headers=headers_for(Fetch.PAGE, "web"), catch_response=True)
        with response:
            status, text = response.status_code, response.text
    finally:
        client.close()
    if status == 200 and MARK in text:
        return None
    said = f"its front page answers {status}" if status else "it does not speak HTTP"
    if status == 200:
        said = "its front page does not carry the shop's mark"
    return (
        f"{target} is not the bundled shop ({said}): start it with `lonjak shop up`, or name its address with --target"
    )
