"""Passwords and tokens: made, checked, never kept in the clear and never logged.

Argon2id with the parameters that argon2-cffi takes from RFC 9106 (low-memory profile).
"""

from __future__ import annotations

import secrets
import threading

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from argon2.profiles import RFC_9106_LOW_MEMORY

from rig.core.errors import BadInput, Problem
from rig.core.roles import Role
from rig.store.accounts import Token

LEAST_CHARACTERS = 10
MOST_CHARACTERS = 200  # hashing a megabyte for a stranger is work for nothing
_DAY_US = 86_400_000_000
TOKEN_PREFIX = "rig_"  # so that a token that got lost is recognised for what it is

_HASHER = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
# Each check takes 64 MiB and tens of milliseconds; a crowd at the door must not take them from the engine.
_ONE_AT_A_TIME = threading.Semaphore(1)


def hash_password(password: str) -> str:
    """Return what is kept of a password; raises BadInput for one that is too short or too long."""
    if not LEAST_CHARACTERS <= len(password) <= MOST_CHARACTERS:
        message = (
            f"got {len(password)} characters, expected {LEAST_CHARACTERS} to {MOST_CHARACTERS}"
        )
        raise BadInput(Problem("password", message, example="four ordinary words in a row"))
    with _ONE_AT_A_TIME:
        return _HASHER.hash(password)


def is_password(password: str, kept: str | None) -> bool:
    """Say whether this is the password; somebody unknown (None) takes as long as a wrong one."""
    if len(password) > MOST_CHARACTERS:
        return False
    with _ONE_AT_A_TIME:
        try:
            return _HASHER.verify(kept or _nobodys_hash(), password) and kept is not None
        except (Argon2Error, InvalidHashError):
            return False


_nobody: list[str] = []


def _nobodys_hash() -> str:
    """The hash of a password that nobody knows, made when it is first needed."""
    if not _nobody:
        _nobody.append(_HASHER.hash(secrets.token_urlsafe()))
    return _nobody[0]


def new_token() -> str:
    """Return a token's secret: 256 random bits."""
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


def token_of(now_us: int, name: str, user: str, role: Role, days: int | None) -> Token:
    """Return a new token of a person, for so many days or for ever; its secret is made apart."""
    expires_us = None if days is None else now_us + days * _DAY_US
    return Token(secrets.token_hex(4), name, user, role.value, now_us, expires_us)
