"""`/metrics`: what all workers of the shop have counted, for a program on this machine that asks without an edge."""

from starlette.responses import Response
from starlette.types import Scope

from reference_shop import metrics
from reference_shop.domain.errors import NotFound
from reference_shop.instruments import CONTENT_TYPE
from reference_shop.web.peers import came_directly_from_here

PATH = "/metrics"


async def tell_metrics(scope: Scope) -> Response:
    """Return the page; raises NotFound for anyone elsewhere."""
    if not came_directly_from_here(scope):
        raise NotFound
    return Response(await metrics.shop.text(), media_type=CONTENT_TYPE)
