"""Pages as the bundled shop draws them, written by hand: what readers are tested on, and what scripted shops answer."""

from scenarios.answers import Answer

MENU = '<nav><a href="/category/batik">Batik</a><a href="/category/tas-kulit">Tas</a></nav>'
STARTS_AT = 1_795_000_000.25
RECIPIENT = "Pembeli 12"
KEY = "3f0c9f4e-4b52-4b67-9c39-0d8a3a0f2a11"


def page(kind: str, facts: str = "", main: str = "") -> str:
    return (
        '<!doctype html><html lang="id"><head><meta name="generator" content="lonjak-reference-shop">'
        '<link rel="stylesheet" href="/static/shop.1a.css"></head>'
        f'<body data-page-kind="{kind}"{facts and " " + facts}>{MENU}<main>{main}</main></body></html>'
    )


def card(product_id: int, name: str = "Kemeja Batik") -> str:
    return (
        f'<li><a class="product-card" href="/product/{product_id}" data-product-id="{product_id}">\n'
        f'<img src="/images/products/{product_id}-thumb.jpg" alt="" loading="lazy">'
        f'<span class="product-card__body"><span class="product-card__name">{name}</span>\n'
        '<span class="price">Rp150.000</span></span></a></li>'
    )


def home() -> str:
    return page("home", 'data-product-count="2000"', card(1) + card(2, "Tas &amp; Dompet") + card(1))


def product(product_id: int = 7, stock: int = 5, sale: str = "", limit: int = 1) -> str:
    facts = f'data-product-id="{product_id}" data-price-idr="150000" data-stock="{stock}"'
    if sale:
        facts += f' data-sale-state="{sale}" data-sale-starts-at="{STARTS_AT:.3f}" data-sale-limit="{limit}"'
    return page("product", facts, f"<h1>Kemeja Batik</h1>{card(8)}")


def cart(lines: dict[int, int]) -> str:
    drawn = "".join(
        f'<li class="cart-line" data-product-id="{number}" data-quantity="{count}" data-price-idr="150000"></li>'
        for number, count in lines.items()
    )
    units = sum(lines.values())
    return page("cart", f'data-cart-total-idr="{150_000 * units}" data-cart-count="{units}"', drawn)


def search(query: str, *products: int) -> str:
    facts = f'data-query="{query}" data-result-count="{len(products)}" data-page="1"'
    return page("search", facts, "".join(map(card, products)))


def category(slug: str, *products: int, following: str = "") -> str:
    more = f'<a rel="next" href="{following}">Berikutnya</a>' if following else ""
    facts = f'data-category="{slug}" data-result-count="{len(products)}" data-page="1"'
    return page("category", facts, "".join(map(card, products)) + more)


def address_form() -> str:
    return page("checkout", 'data-cart-total-idr="150000" data-cart-count="1"', '<input name="postcode">')


def payment(
    key: str = KEY,
    amount_idr: int = 150_000,
    lines: dict[int, int] | None = None,
    *,
    agreed_idr: int | None = None,
    gift_idr: int = 0,
) -> str:
    fields = (
        f'<input type="hidden" name="idempotency_key" value="{key}">'
        f'<input type="hidden" name="total_idr" value="{agreed_idr or amount_idr}">'
    )
    facts = f'data-total-idr="{amount_idr}" data-discount-idr="0" data-gift-idr="{gift_idr}"'
    return page("payment", facts, fields + summary(lines if lines is not None else {7: 1}))


def confirmation(
    order_id: int = 41, amount_idr: int = 150_000, state: str = "paid", lines: dict[int, int] | None = None
) -> str:
    facts = f'data-order-id="{order_id}" data-total-idr="{amount_idr}" data-order-state="{state}"'
    return page("confirmation", facts, summary(lines if lines is not None else {7: 1}))


def summary(lines: dict[int, int]) -> str:
    rows = "".join(
        f'<tr data-product-id="{number}" data-quantity="{count}"><td>{count} × Kemeja Batik</td></tr>'
        for number, count in lines.items()
    )
    return f"<table>{rows}</table><address>{RECIPIENT}<br>Jalan Contoh No. 1</address>"


def account(email: str = "pembeli@example.com") -> str:
    cells = f'<tr><th scope="row">Email</th><td>{email}</td></tr>'
    return page("account", 'data-logged-in="true"', f"<table>{cells}</table>")


def orders(*order_ids: int) -> str:
    rows = "".join(f'<tr data-order-id="{order_id}"><td></td></tr>' for order_id in order_ids)
    return page("orders", f'data-order-count="{len(order_ids)}"', f"<table>{rows}</table>")


def waiting_room(state: str = "waiting", position: int = 12) -> str:
    return page("waiting_room", f'data-product-id="7" data-position="{position}" data-sale-state="{state}"')


def error(kind: str, code: str, status: int) -> str:
    return page(kind, f'data-error="{code}" data-status="{status}"')


def fragment(unit_count: int, name: str = "") -> str:
    logged_in = "true" if name else "false"
    person = (
        f'<a href="/account"><svg></svg><span>{name}</span></a>' if name else '<a href="/login"><span>Masuk</span></a>'
    )
    badge = f'<a href="/cart"><span>Keranjang</span><span class="visitor__count">{unit_count}</span></a>'
    facts = f'data-cart-count="{unit_count}" data-logged-in="{logged_in}"'
    return f'<div data-page-kind="fragment" {facts}>{badge}{person}</div>'


def answer(kind: str, html: str, status: int = 200, location: str = "", refresh: str = "") -> Answer:
    return Answer(status, kind, location, html, refresh)
