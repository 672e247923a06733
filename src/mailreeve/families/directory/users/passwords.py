"""Which passwords are taken, and how are they kept?

Argon2id at the cost that its library recommends (RFC 9106 section 4, the second choice). A hash takes about a
tenth of a second, so whoever serves others makes it before the transaction begins.
"""

from __future__ import annotations

import secrets
import unicodedata
from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from mailreeve.families.directory.users.errors import USER_PASSWORD
from mailreeve.wire.errors import refused

MIN_LENGTH: Final = 8  # characters; NIST SP 800-63B section 5.1.1.2
MAX_LENGTH: Final = 256  # characters; longer ones are no passwords that anybody types

_hasher: Final = PasswordHasher()


def hashed(text: str, field: str) -> str:
    """The hash to keep of a new password. Raises `ItemRefused` naming `field`."""
    plain = _normal(text)
    if not MIN_LENGTH <= len(plain) <= MAX_LENGTH:
        raise refused(
            USER_PASSWORD, field, f"{USER_PASSWORD.message}: it must have {MIN_LENGTH} to {MAX_LENGTH} characters"
        )
    return _hasher.hash(plain)


def matches(text: str, known: str | None) -> bool:
    """Whether this is the password with the hash `known`. Where there is none it takes as long, and is not. It
    takes a tenth of a second of a processor, and 64 MiB."""
    plain = _normal(text)[: MAX_LENGTH + 1]  # A longer one is no password, whatever it begins with.
    try:
        _hasher.verify(_nobodys() if known is None else known, plain)
    except VerifyMismatchError:
        return False
    return known is not None


@cache
def _nobodys() -> str:
    """A hash that nobody knows the password of."""
    return _hasher.hash(secrets.token_urlsafe())


def _normal(text: str) -> str:
    """Passwords are hashed as RFC 8265 section 4.2 has them: composed, all blanks alike. Those at the ends do
    not count, since members of a request lose them on their way in."""
    composed = unicodedata.normalize("NFC", text)
    return "".join(" " if unicodedata.category(c) == "Zs" else c for c in composed).strip()
