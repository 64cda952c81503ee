"""Check `oversized-header`: a header that a cache lets through and the shop refuses must not spoil the page (HHO, HMC).

Sent are headers near and above what servers take (8 KiB in many, 16 and more in others), and one that holds a control
character; then a plain request of another visitor. Safe: the page as ever. A leak: the refusal of the odd request.

After H. V. Nguyen, L. Lo Iacono, H. Federrath, "Your Cache Has Fallen: Cache-Poisoned Denial-of-Service Attack" (CCS
2019), HTTP Header Oversize and HTTP Meta Character.
"""

from __future__ import annotations

from scenarios.safety.aftermath import Oddity

CHECK = "oversized-header"
ODDITIES = (
    Oddity("a header of 12 kB", (("X-Oversized", "a" * 12_000),)),
    Oddity("a control character in a header", (("X-Meta", "a\x07b"),)),
    Oddity("a header of 7 kB", (("X-Oversized", "a" * 7_000),)),
    Oddity("a header of 20 kB", (("X-Oversized", "a" * 20_000),)),
)
