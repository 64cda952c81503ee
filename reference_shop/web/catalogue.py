"""The pages that anyone may see and any cache may keep: home, category, search, product."""

from datetime import UTC, datetime
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from reference_shop.domain.catalogue import Listing, Sort
from reference_shop.domain.orders import MAX_QUANTITY_PER_LINE
from reference_shop.services.catalogue import Catalogue
from reference_shop.web.caching import FLASH_SALE, PRODUCT, SEARCH, SHELVES, cacheable_page
from reference_shop.web.pages import Pages

_SORT_NAMES = {Sort.POPULAR: "Terpopuler", Sort.PRICE: "Termurah", Sort.NEWEST: "Terbaru"}


class CataloguePages:
    """Handlers of the catalogue. None of them reads a cookie."""

    def __init__(self, catalogue: Catalogue, pages: Pages) -> None:
        """Show this catalogue."""
        self._catalogue = catalogue
        self._pages = pages

    async def home(self, request: Request) -> Response:
        """Answer `/`."""
        home = await self._catalogue.home()
        body = self._pages.draw("home.html", home=home, product_count=self._catalogue.product_count)
        shown = (card.product_id for card in (*home.popular, *home.newest))
        return cacheable_page(request, body, SHELVES, read_at=home.read_at, keys=["home"], products=shown)

    async def category(self, request: Request) -> Response:
        """Answer `/category/{slug}?sort=&page=`."""
        category, sort, listing = await self._catalogue.category_page(
            request.path_params["slug"],
            request.query_params.get("sort", Sort.POPULAR),
            request.query_params.get("page", "1"),
        )
        address = f"/category/{category.slug}?sort={sort}"
        body = self._pages.draw(
            "category.html", category=category, sort=sort, sorts=_SORT_NAMES, listing=listing, address=address
        )
        return _list_page(request, body, SHELVES, f"category-{category.slug}", listing)

    async def search(self, request: Request) -> Response:
        """Answer `/search?q=&page=`."""
        query, listing = await self._catalogue.search_page(
            request.query_params.get("q", ""), request.query_params.get("page", "1")
        )
        address = f"/search?{urlencode({'q': query})}"
        body = self._pages.draw("search.html", query=query, listing=listing, address=address)
        return _list_page(request, body, SEARCH, "search", listing)

    async def product(self, request: Request) -> Response:
        """Answer `/product/{id}`."""
        page = await self._catalogue.product_page(request.path_params["product_id"])
        sale = page.sale
        body = self._pages.draw(
            "product.html",
            sale=sale,
            sale_state=sale.state(datetime.now(UTC), page.product.card.on_hand) if sale else None,
            product=page.product,
            card=page.product.card,
            related=page.related,
            category=self._catalogue.category_of(page.product.category_id),
            max_quantity=MAX_QUANTITY_PER_LINE,
        )
        shown = (card.product_id for card in (page.product.card, *page.related))
        policy = FLASH_SALE if sale else PRODUCT
        return cacheable_page(request, body, policy, read_at=page.read_at, keys=(), products=shown)


def _list_page(request: Request, body: bytes, policy: str, key: str, listing: Listing) -> Response:
    shown = (card.product_id for card in listing.cards)
    return cacheable_page(request, body, policy, read_at=listing.read_at, keys=[key], products=shown)
