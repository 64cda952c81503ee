"""Check `method-override`: a request that only pretends to be a GET must not spoil the page for others (HMO).

Sent is a GET whose header asks the shop to take it for a POST or a DELETE, which a page refuses, and a HEAD, whose
answer has no body; then a plain GET of another visitor. Safe: the page as ever. A leak: the refusal, or an empty page.

After H. V. Nguyen, L. Lo Iacono, H. Federrath, "Your Cache Has Fallen: Cache-Poisoned Denial-of-Service Attack" (CCS
2019), HTTP Method Override.
"""

from __future__ import annotations

from scenarios.safety.aftermath import Oddity

CHECK = "method-override"
_HEADERS = ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override")
ODDITIES = (
    *(Oddity(f"{header}: {method}", ((header, method),)) for method in ("POST", "DELETE") for header in _HEADERS),
    Oddity("the method HEAD", method="HEAD"),
)
