"""blocking-call: the receipt is sent by a client that does not know of the event loop, while everybody else waits.

One synchronous call in an asynchronous server (a mail, a lookup of a name, a hash of a password) stops all of its
requests, not only the one that made it. The wait stands for a mail server at a distance. On a quiet day the one who
pays does not mind; at ten orders a second the shop stands still.
"""

import time

from starlette.requests import Request
from starlette.responses import Response

from reference_shop.defects._planting import replace
from reference_shop.web.checkout import CheckoutPages

_MAIL_S = 0.25

_sound_pay = CheckoutPages.pay


async def _pay(self: CheckoutPages, request: Request) -> Response:
    acknowledgement = await _sound_pay(self, request)
    time.sleep(_MAIL_S)
    return acknowledgement


def plant() -> None:
    """Replace the answer to a payment."""
    replace(CheckoutPages, "pay", _pay)
