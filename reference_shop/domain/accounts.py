"""Accounts, their passwords and the random tokens of cookies."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

SESSION_LIFETIME = timedelta(days=30)
MIN_PASSWORD_CHARACTERS = 8
MAX_PASSWORD_CHARACTERS = 128

# RFC 7914, with the 16 MiB that it names for interactive logins.
_SCRYPT_COST, _SCRYPT_BLOCK, _SCRYPT_LANES = 2**14, 8, 1


@dataclass(frozen=True, slots=True)
class Account:
    """A registered shopper."""

    account_id: int
    email: str
    name: str
    created_at: datetime


def new_token() -> str:
    """Return a cookie value that nobody can guess (256 bits)."""
    return secrets.token_urlsafe(32)


def token_digest(token: str) -> bytes:
    """Return what the database keeps of a cookie, so that a stolen dump opens no session."""
    return hashlib.sha256(token.encode()).digest()


def hash_password(password: str) -> str:
    """Return `salt$digest` in hex. Takes some 50 ms of CPU: run it in a thread."""
    salt = secrets.token_bytes(16)
    return f"{salt.hex()}${_scrypt(password, salt).hex()}"


def password_matches(password: str, stored: str) -> bool:
    """Compare in constant time; as slow as `hash_password`."""
    salt, _, digest = stored.partition("$")
    return hmac.compare_digest(_scrypt(password, bytes.fromhex(salt)), bytes.fromhex(digest))


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=_SCRYPT_COST, r=_SCRYPT_BLOCK, p=_SCRYPT_LANES)
