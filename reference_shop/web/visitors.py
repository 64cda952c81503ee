"""Who is asking: the cart and the account that the cookies open."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from reference_shop.domain.accounts import Account
from reference_shop.services.accounts import Accounts
from reference_shop.services.carts import Carts
from reference_shop.web.cookies import CART_COOKIE, LIFETIME_S, SESSION_COOKIE, remember, token_in
from reference_shop.web.pages import Pages


@dataclass(frozen=True, slots=True)
class Visitor:
    """A shopper as far as the shop knows one."""

    cart_id: int | None
    account: Account | None

    @property
    def account_id(self) -> int | None:
        """The account's id, if logged in."""
        return self.account.account_id if self.account else None


class Visitors:
    """Reads the cookies."""

    def __init__(self, carts: Carts, accounts: Accounts, pages: Pages) -> None:
        """Ask these services."""
        self._carts = carts
        self._accounts = accounts
        self._pages = pages

    async def recognise(self, request: Request) -> Visitor:
        """Return whose cookies these are; unknown ones are nobody's."""
        return Visitor(
            await self._carts.find_id(token_in(request, CART_COOKIE)),
            await self._accounts.who(token_in(request, SESSION_COOKIE)),
        )

    async def account(self, request: Request) -> Account | None:
        """Return the account that is logged in."""
        return await self._accounts.who(token_in(request, SESSION_COOKIE))

    async def header(self, request: Request) -> Response:
        """Answer `/fragment/header`: the part of every page that differs between shoppers, fetched by its script."""
        return self._pages.personal(
            request,
            "fragment_header.html",
            cart_count=await self._carts.unit_count(token_in(request, CART_COOKIE)),
            account=await self._accounts.who(token_in(request, SESSION_COOKIE)),
        )


def remember_cart(response: Response, new_token: str | None) -> None:
    """Set the cart's cookie if the cart is new."""
    if new_token is not None:
        remember(response, CART_COOKIE, new_token, LIFETIME_S)
