"""Makes the services and hangs their pages on the shop's addresses."""

import time
from dataclasses import dataclass

from starlette.routing import Route

from reference_shop.domain.payments import PaymentProvider
from reference_shop.protections.guarded_catalogue import guard_catalogue
from reference_shop.protections.waiting_room import Handler, WaitingRoom
from reference_shop.repository.database import Database
from reference_shop.services.accounts import Accounts
from reference_shop.services.carts import Carts
from reference_shop.services.catalogue import Catalogue, load_categories, load_picture_numbers
from reference_shop.services.checkout import CheckoutDesk
from reference_shop.services.returns import Returns
from reference_shop.services.sales import CurrentSales
from reference_shop.services.truth import Books
from reference_shop.web.account import AccountPages
from reference_shop.web.cart import CartPages, wanted_product
from reference_shop.web.catalogue import CataloguePages
from reference_shop.web.checkout import CheckoutPages
from reference_shop.web.files import Pictures, StaticFiles
from reference_shop.web.ops import OpsDoors
from reference_shop.web.pages import Pages
from reference_shop.web.settings import WebSettings
from reference_shop.web.visitors import Visitors


@dataclass(frozen=True, slots=True)
class Backends:
    """Whom the services ask."""

    database: Database
    provider: PaymentProvider
    sales: CurrentSales


async def open_shop(settings: WebSettings, backends: Backends, static: StaticFiles, pages: Pages) -> list[Route]:
    """Return all routes, the most wanted first: they are tried in this order."""
    database, sales = backends.database, backends.sales
    categories = await load_categories(database)
    pages.open_shop(categories)
    pictures = Pictures(settings.images_dir, await load_picture_numbers(database))
    catalogue = guard_catalogue(Catalogue(database, categories, sales, time.time), settings.protections)
    shelves = CataloguePages(catalogue, pages)
    carts, accounts = Carts(database), Accounts(database)
    visitors = Visitors(carts, accounts, pages)
    books = Books(database, backends.provider, catalogue, time.time)
    ops = OpsDoors(database, books, settings.ops_token)
    return [
        Route("/images/products/{name}", pictures.serve),
        Route("/product/{product_id}", shelves.product),
        Route("/category/{slug}", shelves.category),
        Route("/search", shelves.search),
        Route("/", shelves.home),
        Route("/fragment/header", visitors.header),
        Route("/static/{name}", static.serve),
        *_cart_routes(settings, backends, CartPages(carts, visitors, sales, pages), pages),
        *_checkout_routes(settings, backends, carts, visitors, pages),
        *_account_routes(AccountPages(accounts, pages, behind_edge=settings.behind_edge)),
        Route("/healthz", ops.healthy),
        Route("/readyz", ops.ready),
        Route("/ops/truth", ops.truth),
        Route("/ops/offers", ops.offers, methods=["POST"]),
    ]


def _cart_routes(settings: WebSettings, backends: Backends, cart: CartPages, pages: Pages) -> list[Route]:
    add: Handler = cart.add
    waiting = []
    if "waiting-room" in settings.protections:
        room = WaitingRoom(
            backends.database,
            backends.sales,
            settings.ops_token,
            lambda request, **facts: pages.personal(request, "waiting_room.html", **facts),
        )
        add = room.guard(cart.add, wanted_product)
        waiting = [Route("/waiting-room", room.show)]
    return [
        Route("/cart", cart.show),
        Route("/cart/items", add, methods=["POST"]),
        Route("/cart/lines", cart.change, methods=["POST"]),
        *waiting,
    ]


def _checkout_routes(
    settings: WebSettings, backends: Backends, carts: Carts, visitors: Visitors, pages: Pages
) -> list[Route]:
    database, provider = backends.database, backends.provider
    desk = CheckoutDesk(database, provider, settings.pending_after_s)
    checkout = CheckoutPages(desk, Returns(database, provider, settings.pending_after_s), carts, visitors, pages)
    return [
        Route("/checkout", checkout.address_form),
        Route("/checkout", checkout.save_address, methods=["POST"]),
        Route("/checkout/payment", checkout.payment_form),
        Route("/checkout/payment", checkout.pay, methods=["POST"]),
        Route("/checkout/voucher", checkout.set_vouchers, methods=["POST"]),
        Route("/orders/{order_id}/confirmation", checkout.confirmation),
        Route("/orders/{order_id}/return", checkout.send_back, methods=["POST"]),
        Route("/orders", checkout.history),
    ]


def _account_routes(account: AccountPages) -> list[Route]:
    return [
        Route("/login", account.login_form),
        Route("/login", account.log_in, methods=["POST"]),
        Route("/register", account.register_form),
        Route("/register", account.register, methods=["POST"]),
        Route("/logout", account.log_out, methods=["POST"]),
        Route("/account", account.show),
    ]
