"""The cart's page and what it can do."""

from starlette.requests import Request
from starlette.responses import Response

from reference_shop.domain.catalogue import MAX_PRODUCT_ID
from reference_shop.domain.orders import MAX_QUANTITY_PER_LINE
from reference_shop.services.carts import Carts
from reference_shop.services.sales import CurrentSales
from reference_shop.web.cookies import CART_COOKIE, token_in
from reference_shop.web.forms import read_form
from reference_shop.web.pages import Pages, see_other
from reference_shop.web.visitors import Visitors, remember_cart


async def wanted_product(request: Request) -> int:
    """Return which product a posted form is about; 0 for one that names none, which its handler will refuse."""
    return (await read_form(request)).number("product_id", "Nomor produk", 0, MAX_PRODUCT_ID)


class CartPages:
    """Handlers of the cart."""

    def __init__(self, carts: Carts, visitors: Visitors, sales: CurrentSales, pages: Pages) -> None:
        """Show these carts; who a visitor is matters only in a flash sale."""
        self._carts = carts
        self._visitors = visitors
        self._sales = sales
        self._pages = pages

    async def show(self, request: Request) -> Response:
        """Answer `/cart`."""
        cart = await self._carts.load(token_in(request, CART_COOKIE))
        on_sale = {line.product_id for line in cart.lines if self._sales.of(line.product_id)}
        return self._pages.personal(
            request, "cart.html", cart=cart, on_sale=on_sale, max_quantity=MAX_QUANTITY_PER_LINE
        )

    async def add(self, request: Request) -> Response:
        """Answer POST `/cart/items` (product_id, quantity): put units in, opening a cart if there is none."""
        form = await read_form(request)
        product_id = form.number("product_id", "Nomor produk", 1, MAX_PRODUCT_ID)
        quantity = form.number("quantity", "Jumlah", 1, MAX_QUANTITY_PER_LINE)
        form.check()
        account = await self._visitors.account(request) if self._sales.of(product_id) else None
        account_id = account.account_id if account else None
        opened = await self._carts.add(token_in(request, CART_COOKIE), product_id, quantity, account_id)
        response = see_other("/cart")
        remember_cart(response, opened.new_token)
        return response

    async def change(self, request: Request) -> Response:
        """Answer POST `/cart/lines` (product_id, quantity): set a line's quantity, 0 removes it."""
        form = await read_form(request)
        product_id = form.number("product_id", "Nomor produk", 1, MAX_PRODUCT_ID)
        quantity = form.number("quantity", "Jumlah", 0, MAX_QUANTITY_PER_LINE)
        form.check()
        await self._carts.set_quantity(token_in(request, CART_COOKIE), product_id, quantity)
        return see_other("/cart")
