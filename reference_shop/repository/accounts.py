"""Accounts and their sessions."""

from datetime import datetime

from reference_shop.domain.accounts import Account
from reference_shop.repository.database import Connection, Row


async def insert(connection: Connection, email: str, name: str, password_hash: str) -> int | None:
    """Write an account; return its id, or None if the address is taken."""
    account_id: int | None = await connection.fetchval(
        """INSERT INTO accounts (email, name, password_hash) VALUES ($1, $2, $3)
           ON CONFLICT (email) DO NOTHING RETURNING account_id""",
        email,
        name,
        password_hash,
    )
    return account_id


async def find_password(connection: Connection, email: str) -> tuple[int, str] | None:
    """Return an account's id and password hash."""
    row = await connection.fetchrow("SELECT account_id, password_hash FROM accounts WHERE email = $1", email)
    return (row["account_id"], row["password_hash"]) if row else None


async def insert_session(connection: Connection, token_digest: bytes, account_id: int, expires_at: datetime) -> None:
    """Open a session."""
    await connection.execute(
        "INSERT INTO sessions (token_digest, account_id, expires_at) VALUES ($1, $2, $3)",
        token_digest,
        account_id,
        expires_at,
    )


async def delete_session(connection: Connection, token_digest: bytes) -> None:
    """Close a session."""
    await connection.execute("DELETE FROM sessions WHERE token_digest = $1", token_digest)


async def find_by_session(connection: Connection, token_digest: bytes) -> Account | None:
    """Return the account that a session cookie opens."""
    row = await connection.fetchrow(
        """SELECT a.account_id, a.email, a.name, a.created_at FROM sessions s JOIN accounts a USING (account_id)
           WHERE s.token_digest = $1 AND s.expires_at > now()""",
        token_digest,
    )
    return _account(row) if row else None


def _account(row: Row) -> Account:
    return Account(row["account_id"], row["email"], row["name"], row["created_at"])
