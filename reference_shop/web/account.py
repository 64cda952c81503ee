"""Registering, logging in and out, the account's page."""

import logging
import re

from starlette.requests import Request
from starlette.responses import Response

from reference_shop.domain.accounts import MAX_PASSWORD_CHARACTERS, MIN_PASSWORD_CHARACTERS
from reference_shop.domain.errors import BadCredentials, EmailTaken, ShopError
from reference_shop.services.accounts import Accounts
from reference_shop.web.cookies import LIFETIME_S, SESSION_COOKIE, remember, token_in
from reference_shop.web.failures import STATUS
from reference_shop.web.forms import Form, read_form
from reference_shop.web.pages import Pages, see_other
from reference_shop.web.peers import client_address

_EMAIL = re.compile(r"[^@\s\x00-\x1f]{1,64}@[a-z0-9](?:[a-z0-9.-]{0,180}[a-z0-9])?\.[a-z]{2,24}", re.IGNORECASE)

_log = logging.getLogger(__name__)


class AccountPages:
    """Handlers of accounts."""

    def __init__(self, accounts: Accounts, pages: Pages, *, behind_edge: bool) -> None:
        """Use these accounts; `behind_edge` says whom to believe about the client's address."""
        self._accounts = accounts
        self._pages = pages
        self._behind_edge = behind_edge

    async def login_form(self, request: Request) -> Response:
        """Answer `/login`."""
        return self._pages.personal(request, "login.html", values={}, problems={})

    async def log_in(self, request: Request) -> Response:
        """Answer POST `/login` (email, password)."""
        form = await read_form(request)
        email, password = _credentials(form)
        if form.problems:
            return self._again(request, "login.html", form, 400)
        try:
            token = await self._accounts.log_in(email, password)
        except BadCredentials as error:
            _log.warning("failed login from %s", client_address(request.scope, behind_edge=self._behind_edge))
            return self._refused(request, "login.html", form, "email", error)
        return _logged_in(token)

    async def register_form(self, request: Request) -> Response:
        """Answer `/register`."""
        return self._pages.personal(request, "register.html", values={}, problems={})

    async def register(self, request: Request) -> Response:
        """Answer POST `/register` (name, email, password)."""
        form = await read_form(request)
        name = form.text("name", "Nama", 80, 2)
        email, password = _credentials(form)
        if form.problems:
            return self._again(request, "register.html", form, 400)
        try:
            token = await self._accounts.register(email, name, password)
        except EmailTaken as error:
            return self._refused(request, "register.html", form, "email", error)
        return _logged_in(token)

    async def log_out(self, request: Request) -> Response:
        """Answer POST `/logout`."""
        token = token_in(request, SESSION_COOKIE)
        if token:
            await self._accounts.log_out(token)
        response = see_other("/")
        response.delete_cookie(SESSION_COOKIE, httponly=True, samesite="lax")
        return response

    async def show(self, request: Request) -> Response:
        """Answer `/account`; a stranger is sent to the login."""
        account = await self._accounts.who(token_in(request, SESSION_COOKIE))
        if account is None:
            return see_other("/login")
        return self._pages.personal(request, "account.html", account=account)

    def _refused(self, request: Request, template: str, form: Form, field: str, error: ShopError) -> Response:
        form.problems[field] = str(error)
        return self._again(request, template, form, STATUS[error.code])

    def _again(self, request: Request, template: str, form: Form, status: int) -> Response:
        values = {name: value for name, value in form.values.items() if name != "password"}
        return self._pages.personal(request, template, status, values=values, problems=form.problems)


def _credentials(form: Form) -> tuple[str, str]:
    email = form.matching("email", _EMAIL, "Tulis alamat email yang benar.").lower()
    password = form.values.get("password", "")
    if not MIN_PASSWORD_CHARACTERS <= len(password) <= MAX_PASSWORD_CHARACTERS:
        form.problems["password"] = (
            f"Kata sandi terdiri dari {MIN_PASSWORD_CHARACTERS} sampai {MAX_PASSWORD_CHARACTERS} huruf."
        )
    return email, password


def _logged_in(token: str) -> Response:
    response = see_other("/account")
    remember(response, SESSION_COOKIE, token, LIFETIME_S)
    return response
