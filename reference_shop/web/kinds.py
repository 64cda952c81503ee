"""Says which kind of page an address is; every answer, errors included, carries it as `X-Page-Kind`."""

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


def page_kind(path: str) -> str:
    """Return the kind of a path, `other` for one that the shop does not know."""
    if path == "/checkout/payment":
        return "payment"
    if path.startswith("/orders/") and path.endswith("/confirmation"):
        return "confirmation"
    return _BY_FIRST_SEGMENT.get(path.split("/", 2)[1] if path.startswith("/") else path, "other")
