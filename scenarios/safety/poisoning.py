"""Check `poisoning`: a header that is no part of a cache's key must not change what others get.

Sent are the headers by which a proxy tells the shop of another host, scheme or address, each with a word that nobody
else knows; then a plain request for the same address, of another visitor. Safe: the page as ever. A leak: the word
stands in it, or it leads elsewhere, or it is an error.

After J. Kettle, "Practical Web Cache Poisoning" (Black Hat USA 2018): unkeyed inputs; X-Original-URL and X-Rewrite-URL,
X-Forwarded-Scheme that makes a shop redirect to itself; and H. V. Nguyen, L. Lo Iacono, H. Federrath, "Your Cache Has
Fallen: Cache-Poisoned Denial-of-Service Attack" (CCS 2019), for errors in the place of the page.
"""

from __future__ import annotations

from scenarios.safety.aftermath import MARK, Oddity

CHECK = "poisoning"
ODDITIES = tuple(
    Oddity(f"another {name}", ((name, value),))
    for name, value in (
        ("X-Forwarded-Host", f"{MARK}.invalid"),
        ("X-Original-URL", f"/{MARK}"),
        ("X-Forwarded-Scheme", MARK),
        ("Forwarded", f"for=192.0.2.1;host={MARK}.invalid;proto={MARK}"),
        ("X-Host", f"{MARK}.invalid"),
        ("X-Rewrite-URL", f"/{MARK}"),
        ("X-Forwarded-Proto", MARK),
    )
)
