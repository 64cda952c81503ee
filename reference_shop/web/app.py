"""Makes a worker's application: what surrounds every request, and what the worker does beside serving."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from random import Random

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp

from reference_shop import metrics
from reference_shop.access_log import AccessLog
from reference_shop.domain.errors import ShopError
from reference_shop.protections.guarded_app import GuardedApp, guard_app
from reference_shop.protections.guarded_provider import guard_provider
from reference_shop.repository.database import Database
from reference_shop.repository.payment_provider import HttpPaymentProvider
from reference_shop.services.sales import CurrentSales
from reference_shop.services.upkeep import keep_up
from reference_shop.web.envelope import Envelope
from reference_shop.web.failures import Failures
from reference_shop.web.files import StaticFiles
from reference_shop.web.forms import MAX_BODY_BYTES
from reference_shop.web.kinds import page_kind
from reference_shop.web.pages import Pages
from reference_shop.web.routes import Backends, open_shop
from reference_shop.web.settings import WebSettings


def create_app(settings: WebSettings, static: StaticFiles, pages: Pages, log: AccessLog) -> ASGIApp:
    """Return the worker's application; it opens the database when the server starts it. The files were read before."""
    failures = Failures(pages)
    database = Database(
        settings.database_url, settings.schema, name=settings.worker, max_connections=settings.max_connections
    )

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncGenerator[None, None]:
        client = HttpPaymentProvider(settings.payment_url)
        provider = guard_provider(client, settings.protections)
        async with database:
            sales = CurrentSales(database)
            await sales.refresh()
            app.router.routes.extend(await open_shop(settings, Backends(database, provider, sales), static, pages))
            background = (
                keep_up(database, provider),
                sales.keep_current(),
                log.keep_flushing(),
                metrics.shop.keep_sampling(),
            )
            tasks = [asyncio.create_task(work) for work in background]
            yield
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
        client.close()
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
    guarded = guard_app(
        app,
        settings.protections,
        concurrency=settings.concurrency,
        delay_ms=settings.delay_ms,
        refuse=lambda scope, error: failures.refuse(Request(scope), error),
        kind_of=page_kind,
        rng=Random(),
        waits_s=(lambda: database.longest_wait_s,),
    )
    _tell_of(guarded)
    return Envelope(guarded, failures, log, behind_edge=settings.behind_edge)


def _tell_of(guarded: GuardedApp) -> None:
    """Have the metrics follow places and refusals."""
    admission, bulkhead, shedding = guarded.admission, guarded.bulkhead, guarded.shedding
    metrics.places.follow(lambda: admission.places)
    metrics.places_in_use.follow(lambda: admission.in_progress)
    metrics.places_waiting.follow(lambda: admission.waiting)
    metrics.refusals.follow(lambda: admission.refused_count, "admission")
    if bulkhead is not None:
        metrics.refusals.follow(lambda: bulkhead.refused_count, "checkout-bulkhead")
    if shedding is not None:
        metrics.refusals.follow(lambda: shedding.refused_count, "load-shedding")
