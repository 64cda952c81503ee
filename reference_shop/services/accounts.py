"""Registering, logging in and out. Passwords are hashed in a thread, so that the event loop goes on serving."""

import asyncio
from datetime import UTC, datetime

from reference_shop import metrics
from reference_shop.domain.accounts import (
    SESSION_LIFETIME,
    Account,
    hash_password,
    new_token,
    password_matches,
    token_digest,
)
from reference_shop.domain.errors import BadCredentials, EmailTaken
from reference_shop.repository import accounts
from reference_shop.repository.database import Connection, Database


class Accounts:
    """Use cases of accounts. Session tokens are returned to be set as cookies; the database keeps their digests."""

    def __init__(self, database: Database) -> None:
        """Work on this database; hashes one password, to compare with when an address is unknown."""
        self._database = database
        self._nobodys_password = hash_password(new_token())

    async def register(self, email: str, name: str, password: str) -> str:
        """Create an account and log it in; returns the session token, raises EmailTaken."""
        password_hash = await asyncio.to_thread(hash_password, password)
        async with self._database.transaction() as connection:
            account_id = await accounts.insert(connection, email, name, password_hash)
            if account_id is None:
                raise EmailTaken
            return await _open_session(connection, account_id)

    async def log_in(self, email: str, password: str) -> str:
        """Return a new session's token; raises BadCredentials, after the same time for known and unknown addresses."""
        async with self._database.connection() as connection:
            found = await accounts.find_password(connection, email)
        account_id, stored = found or (None, self._nobodys_password)
        matches = await asyncio.to_thread(password_matches, password, stored)
        if account_id is None or not matches:
            raise BadCredentials
        async with self._database.connection() as connection:
            token = await _open_session(connection, account_id)
        metrics.logins.add()
        return token

    async def log_out(self, token: str) -> None:
        """Close the session."""
        async with self._database.connection() as connection:
            await accounts.delete_session(connection, token_digest(token))

    async def who(self, token: str | None) -> Account | None:
        """Return the account that a session cookie opens; None for no cookie, an unknown or an expired one."""
        if not token:
            return None
        async with self._database.connection() as connection:
            return await accounts.find_by_session(connection, token_digest(token))


async def _open_session(connection: Connection, account_id: int) -> str:
    token = new_token()
    await accounts.insert_session(connection, token_digest(token), account_id, datetime.now(UTC) + SESSION_LIFETIME)
    return token
