"""The edge profiles: what each is made of, what it promises, and what the safety probes are expected to find in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a safety probe finds in a profile, and why."""

    answer: Literal["leaks", "safe"]
    because: str


@dataclass(frozen=True, slots=True)
class EdgeProfile:
    """One way to stand in front of the shop.

    `programs` are keys of `programs.PROGRAMS`, `caches` names in Cache-Status, origin side first, `doors` how many are
    public. `purges` may hold "url" and "key", `promises` "collapses", "stale-while-revalidate", "stale-if-error".
    `safety` expects something of "cart-leak" (the defect), "poisoning" and "deception"; nothing of a user's own file.
    """

    name: str
    sentence: str
    programs: tuple[str, ...]
    caches: tuple[str, ...]
    doors: int
    purges: tuple[str, ...]
    promises: tuple[str, ...]
    safety: Mapping[str, Expectation]


_ALL_PROMISES = ("collapses", "stale-while-revalidate", "stale-if-error")

_NO_CACHE = Expectation("safe", "nothing is kept, so nobody is given what was made for somebody else")
_NO_CACHE_SAFETY = {"cart-leak": _NO_CACHE, "poisoning": _NO_CACHE, "deception": _NO_CACHE}

_OBEYS_ACCEL = Expectation(
    "leaks",
    "nginx goes where X-Accel-Redirect sends it, and /mine/cart is not among the personal addresses: the public header "
    "on it is believed",
)
_DROPS_ACCEL = Expectation(
    "safe",
    "Varnish knows no X-Accel-Redirect and drops it; /cart is a personal address, and is passed whatever it says",
)
_NO_POISON = Expectation(
    "safe",
    "headers that are neither in the key nor needed are removed, a GET with a body goes past the cache, and only 200, "
    "301 and 404 are kept",
)
_NO_DECEPTION = Expectation(
    "safe",
    "everything below or beside a personal address is personal, however it is spelled; and an address with a suffix is "
    "one that the shop does not have",
)


def _safety(cart_leak: Expectation) -> dict[str, Expectation]:
    return {"cart-leak": cart_leak, "poisoning": _NO_POISON, "deception": _NO_DECEPTION}


_DIRECT = EdgeProfile(
    name="direct",
    sentence="no edge: shoppers speak to the shop's own listening socket",
    programs=(),
    caches=(),
    doors=0,
    purges=(),
    promises=(),
    safety=_NO_CACHE_SAFETY,
)
_NGINX_PASS = EdgeProfile(
    name="nginx-pass",
    sentence="nginx that passes everything on and compresses: what a proxy costs, without what a cache saves",
    programs=("nginx",),
    caches=(),
    doors=1,
    purges=(),
    promises=(),
    safety=_NO_CACHE_SAFETY,
)
_NGINX_MICRO = EdgeProfile(
    name="nginx-micro",
    sentence="nginx that keeps what may be shared for one second, whatever lifetime the shop gives it",
    programs=("nginx",),
    caches=("lonjak-nginx",),
    doors=1,
    purges=("url",),
    promises=("collapses", "stale-while-revalidate"),  # ten seconds of staleness are no help in an outage,
    safety=_safety(_OBEYS_ACCEL),
)
_NGINX = EdgeProfile(
    name="nginx",
    sentence="caches what the shop's headers allow; serves stale pages while it fetches new ones",
    programs=("nginx",),
    caches=("lonjak-nginx",),
    doors=1,
    purges=("url",),
    promises=_ALL_PROMISES,
    safety=_safety(_OBEYS_ACCEL),
)
_VARNISH = EdgeProfile(
    name="varnish",
    sentence="Varnish: the shop's headers decide, nobody waits for a page that just expired, purges by product",
    programs=("varnish",),
    caches=("lonjak-varnish",),
    doors=1,
    purges=("url", "key"),
    promises=_ALL_PROMISES,
    safety=_safety(_DROPS_ACCEL),
)
_TWO_TIER = EdgeProfile(
    name="two-tier",
    sentence="two nginx points of presence in front of one Varnish shield: the shop sees one cache",
    programs=("nginx", "varnish"),
    caches=("lonjak-shield", "lonjak-pop-1", "lonjak-pop-2"),
    doors=2,
    purges=("url", "key"),
    promises=_ALL_PROMISES,
    safety=_safety(_DROPS_ACCEL),
)
_CUSTOM = EdgeProfile(
    name="custom",
    sentence="your own nginx.conf, or *.vcl for Varnish, given by --edge-config",
    programs=(),
    caches=("lonjak-nginx",),
    doors=1,
    purges=(),
    promises=(),
    safety={},
)

PROFILES: Mapping[str, EdgeProfile] = {
    profile.name: profile for profile in (_DIRECT, _NGINX_PASS, _NGINX_MICRO, _NGINX, _VARNISH, _TWO_TIER, _CUSTOM)
}
