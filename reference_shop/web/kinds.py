"""Says which kind of page an address is, and whose. Every answer, errors included, carries its kind: `X-Page-Kind`."""

import re

_BY_FIRST_SEGMENT = {
    "": "home",
    "category": "category",
    "search": "search",
    "product": "product",
    "cart": "cart",
    "checkout": "checkout",
    "orders": "orders",
    "login": "login",
    "logout": "login",
    "register": "login",
    "account": "account",
    "static": "static",
    "images": "static",
    "fragment": "fragment",
    "waiting-room": "waiting_room",
    "ops": "ops",
    "healthz": "ops",
    "readyz": "ops",
    "metrics": "ops",
}
# Exactly these: what only begins like one of them (`/cart/x.css`, which a cache may take for a file) is nobody's.
_PERSONAL = re.compile(
    r"/(?:cart(?:/items|/lines)?|checkout(?:/payment|/voucher)?|orders(?:/[1-9][0-9]*/(?:confirmation|return))?"
    r"|account|fragment/header|waiting-room)"
)


def page_kind(path: str) -> str:
    """Return the kind of a path, `other` for one that the shop does not know."""
    if path == "/checkout/payment":
        return "payment"
    if path.startswith("/orders/") and path.endswith("/confirmation"):
        return "confirmation"
    return _BY_FIRST_SEGMENT.get(path.split("/", 2)[1] if path.startswith("/") else path, "other")


def is_personal(path: str) -> bool:
    """Tell whether what stands there is one shopper's: a page that was made for whoever's cookies came along."""
    return _PERSONAL.fullmatch(path) is not None
