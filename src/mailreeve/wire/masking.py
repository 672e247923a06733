"""What of an item must not be repeated? The members that hold secrets, however deep they lie and however a client
spells them.

A refused item is told again in `fail[].key` (api.md section 1.4), and answers end up in the logs of clients.
"""

from __future__ import annotations

from typing import Final

from mailreeve.wire.envelope import Item

MASK: Final = "********"
MAX_DEPTH: Final = 32  # as deep as an item may be; what lies below is left out

# The ends of names, in small letters and without anything between the words. At the end, because the member
# `forcePasswordChange` holds no secret.
_SECRET_ENDS: Final = (
    "password",
    "passwd",
    "passwordhash",
    "passphrase",
    "passcode",
    "pwd",
    "secret",
    "authorization",
    "credential",
    "credentials",
    "token",
    "tokens",
    "bearer",
    "secretkey",
    "accesskey",
    "privatekey",
    "appkey",
    "applicationkey",
    "apikey",
)
_NO_SECRETS: Final = frozenset({"pagetoken"})  # It says where a list goes on, to its own caller alone.


def masked(item: Item) -> Item:
    """The item with a mask for whatever a secret's member holds."""
    return {name: _masked(name, value, 1) for name, value in item.items()}


def _masked(name: str, value: object, depth: int) -> object:
    if value is not None and _is_secret(name):
        return MASK
    if isinstance(value, dict):
        if depth >= MAX_DEPTH:
            return MASK
        return {inner: _masked(inner, member, depth + 1) for inner, member in value.items()}
    if isinstance(value, list):
        if depth >= MAX_DEPTH:
            return MASK
        return [_masked("", member, depth + 1) for member in value]
    return value


def _is_secret(name: str) -> bool:
    plain = "".join(filter(str.isalnum, name)).casefold()
    return plain.endswith(_SECRET_ENDS) and plain not in _NO_SECRETS
