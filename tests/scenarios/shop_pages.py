"""Pages as the bundled shop draws them, written by hand: what readers are tested on, and what scripted shops answer."""

from scenarios.answers import Answer

MENU = '<nav><a href="/category/batik">Batik</a><a href="/category/tas-kulit">Tas</a></nav>'
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


def product(product_id: int = 7, stock: int = 5) -> str:
    facts = f'data-product-id="{product_id}" data-price-idr="150000" data-stock="{stock}"'
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


def payment(key: str = KEY, amount_idr: int = 150_000) -> str:
    field = f'<input type="hidden" name="idempotency_key" value="{key}">'
    return page("payment", f'data-total-idr="{amount_idr}"', field)


def confirmation(order_id: int = 41, amount_idr: int = 150_000, state: str = "paid") -> str:
    return page("confirmation", f'data-order-id="{order_id}" data-total-idr="{amount_idr}" data-order-state="{state}"')


def error(kind: str, code: str, status: int) -> str:
    return page(kind, f'data-error="{code}" data-status="{status}"')


def fragment(unit_count: int) -> str:
    return f'<div data-page-kind="fragment" data-cart-count="{unit_count}" data-logged-in="false"></div>'


def answer(kind: str, html: str, status: int = 200, location: str = "") -> Answer:
    return Answer(status, kind, location, html)
