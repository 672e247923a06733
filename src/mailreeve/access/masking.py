"""What must not be repeated? The members that hold secrets, however deep they lie and however they are spelled,
also in a text that is JSON itself: clients that encode twice send such.

This is the one list of their names. A refused item is told again in `fail[].key` (api.md section 1.4), and answers
end up in the logs of clients; our own log and the audit rows are masked by the same list.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

MASK: Final = "********"
MAX_DEPTH: Final = 32  # as deep as an item may be; what lies below is left out
ENDING: Final = 64  # characters at the end of a name that are looked at
LONGEST: Final = 65_536  # characters of a text that is read as JSON; a longer one that looks so is left out

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
_JSON_BEGINS: Final = ("{", "[")
_NO_SECRETS: Final = frozenset({"pagetoken"})  # It says where a list goes on, to its own caller alone.


def masked(members: Mapping[str, object]) -> dict[str, object]:
    """The members with a mask for whatever a secret's member holds."""
    return {name: _masked(name, value, 1) for name, value in members.items()}


def _masked(name: object, value: object, depth: int) -> object:
    if value is not None and isinstance(name, str) and _is_secret(name[-ENDING:]):
        return MASK
    if isinstance(value, dict):
        if depth >= MAX_DEPTH:
            return MASK
        return {inner: _masked(inner, member, depth + 1) for inner, member in value.items()}
    if isinstance(value, list):
        if depth >= MAX_DEPTH:
            return MASK
        return [_masked("", member, depth + 1) for member in value]
    if isinstance(value, str) and value.lstrip()[:1] in _JSON_BEGINS:
        return _masked_json(value, depth)
    return value


def _masked_json(text: str, depth: int) -> str:
    """A text that may be JSON, with what is secret in it masked; any other is as it was."""
    if len(text) > LONGEST:
        return MASK
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if not isinstance(value, dict | list):
        return text
    shown = _masked("", value, depth + 1)
    return text if shown == value else json.dumps(shown, ensure_ascii=False)


@lru_cache(4096)
def _is_secret(name: str) -> bool:
    plain = "".join(filter(str.isalnum, name)).casefold()
    return plain.endswith(_SECRET_ENDS) and plain not in _NO_SECRETS
