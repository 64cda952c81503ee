"""Puts a worker together: opens the database, makes the services, hangs the handlers on their addresses."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route
from starlette.types import ASGIApp

from reference_shop.domain.errors import ShopError
from reference_shop.repository.database import Database
from reference_shop.repository.payment_provider import HttpPaymentProvider
from reference_shop.services.accounts import Accounts
from reference_shop.services.carts import Carts
from reference_shop.services.catalogue import Catalogue, load_categories, load_picture_numbers
from reference_shop.services.checkout import CheckoutDesk
from reference_shop.services.reconciliation import keep_resolving
from reference_shop.web.access_log import AccessLog
from reference_shop.web.account import AccountPages
from reference_shop.web.cart import CartPages
from reference_shop.web.catalogue import CataloguePages
from reference_shop.web.checkout import CheckoutPages
from reference_shop.web.envelope import Envelope
from reference_shop.web.failures import Failures
from reference_shop.web.files import Pictures, StaticFiles
from reference_shop.web.forms import MAX_BODY_BYTES
from reference_shop.web.ops import OpsDoors
from reference_shop.web.pages import Pages
from reference_shop.web.settings import WebSettings
from reference_shop.web.visitors import Visitors


def create_app(settings: WebSettings, static: StaticFiles, pages: Pages, log: AccessLog) -> ASGIApp:
    """Return the worker's application; it opens the database when the server starts it. The files were read before."""
    failures = Failures(pages)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncGenerator[None, None]:
        provider = HttpPaymentProvider(settings.payment_url)
        async with Database(settings.database_url, settings.schema, name=settings.worker) as database:
            app.router.routes.extend(await _routes(settings, database, provider, static, pages))
            tasks = [
                asyncio.create_task(keep_resolving(database, provider)),
                asyncio.create_task(log.keep_flushing()),
            ]
            yield
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
        provider.close()
        log.flush()

    app = Starlette(
        lifespan=lifespan,
        exception_handlers={
            ShopError: failures.refuse,
            HTTPException: failures.complain,
            Exception: failures.apologise,
        },
        max_body_size=MAX_BODY_BYTES,
    )
    app.router.redirect_slashes = False
    return Envelope(app, failures, log, behind_edge=settings.behind_edge)


async def _routes(
    settings: WebSettings, database: Database, provider: HttpPaymentProvider, static: StaticFiles, pages: Pages
) -> list[Route]:
    """Return all routes, the most wanted first: they are tried in this order."""
    categories = await load_categories(database)
    pages.open_shop(categories)
    pictures = Pictures(settings.images_dir, await load_picture_numbers(database))
    catalogue = CataloguePages(Catalogue(database, categories), pages)
    carts, accounts = Carts(database), Accounts(database)
    visitors = Visitors(carts, accounts, pages)
    cart = CartPages(carts, pages)
    desk = CheckoutDesk(database, provider, settings.pending_after_s)
    checkout = CheckoutPages(desk, carts, visitors, pages)
    account = AccountPages(accounts, pages, behind_edge=settings.behind_edge)
    ops = OpsDoors(database, settings.ops_token)
    return [
        Route("/images/products/{name}", pictures.serve),
        Route("/product/{product_id}", catalogue.product),
        Route("/category/{slug}", catalogue.category),
        Route("/search", catalogue.search),
        Route("/", catalogue.home),
        Route("/fragment/header", visitors.header),
        Route("/static/{name}", static.serve),
        Route("/cart", cart.show),
        Route("/cart/items", cart.add, methods=["POST"]),
        Route("/cart/lines", cart.change, methods=["POST"]),
        Route("/checkout", checkout.address_form),
        Route("/checkout", checkout.save_address, methods=["POST"]),
        Route("/checkout/payment", checkout.payment_form),
        Route("/checkout/payment", checkout.pay, methods=["POST"]),
        Route("/orders/{order_id}/confirmation", checkout.confirmation),
        Route("/orders", checkout.history),
        Route("/login", account.login_form),
        Route("/login", account.log_in, methods=["POST"]),
        Route("/register", account.register_form),
        Route("/register", account.register, methods=["POST"]),
        Route("/logout", account.log_out, methods=["POST"]),
        Route("/account", account.show),
        Route("/healthz", ops.healthy),
        Route("/readyz", ops.ready),
        Route("/ops/truth", ops.truth),
    ]
