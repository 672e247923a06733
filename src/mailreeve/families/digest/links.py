"""What does a link of a digest say, and is it one of ours? A token: an act on one held message, for one user.

It is signed with HMAC-SHA-256 (RFC 2104) under a key of this installation, and bound to the account, the user, the
held message, the act, and the instant at which it ends. That it acts once is the held message's business, which
has one end. What a token says is no secret to whoever has it; to make one without the key is not possible.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from msgspec import Struct

KEY_OCTETS: Final = 32
LONGEST: Final = timedelta(days=14)  # a message is held no longer (behaviour.md section 8.1)
PATH: Final = "/digest/"
"""What the paths of links begin with; the token follows."""

_PURPOSE: Final = b"mailreeve digest link 1\0"
_ID_OCTETS: Final = 16
_SAID_OCTETS: Final = 3 * _ID_OCTETS + 1 + 5
_OCTETS: Final = _SAID_OCTETS + hashlib.sha256().digest_size
TOKEN_LENGTH: Final = -(-_OCTETS * 8 // 6)  # characters, without those that fill up


class Act(StrEnum):
    """What a link does (behaviour.md section 8.2)."""

    RELEASE = "release"
    PERMIT = "permit"
    BLOCK = "block"


_NUMBERS: Final = {Act.RELEASE: 1, Act.PERMIT: 2, Act.BLOCK: 3}
_ACTS: Final = {number: act for act, number in _NUMBERS.items()}


class Link(Struct, frozen=True):
    """What a link says: an act on a held message of an account, by a user, until an instant. Ids are store
    keys."""

    account_id: str
    user_id: str
    held_id: str
    act: Act
    ends: datetime


class NoLink(ValueError):
    """The text is no token of ours. Nothing more is to be said about it."""


def ends_at(made: datetime, expires: datetime) -> datetime:
    """When a link ends that is made now: with its message, and no later than `LONGEST` after it was made. In whole
    seconds."""
    return min(expires, made + LONGEST).replace(microsecond=0)


class Links:
    """Makes and reads tokens under one installation's key of `KEY_OCTETS` octets."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def token(self, link: Link) -> str:
        """The token of a link, in letters that a URL has as they are."""
        ids = b"".join(map(bytes.fromhex, (link.account_id, link.user_id, link.held_id)))
        said = ids + bytes([_NUMBERS[link.act]]) + int(link.ends.timestamp()).to_bytes(5, "big")
        return _text(said + self._signature(said))

    def read(self, token: str) -> Link:
        """What a token says, whether it has ended or not. Raises `NoLink`."""
        if len(token) != TOKEN_LENGTH:
            raise NoLink
        try:
            octets = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except (ValueError, binascii.Error) as problem:
            raise NoLink from problem
        said, signature = octets[:_SAID_OCTETS], octets[_SAID_OCTETS:]
        # The last letter carries two bits that decoding drops; only one spelling is a token.
        if not token.endswith(_text(octets)[-1]) or not hmac.compare_digest(signature, self._signature(said)):
            raise NoLink
        account_id, user_id, held_id = (
            said[start : start + _ID_OCTETS].hex() for start in range(0, 3 * _ID_OCTETS, _ID_OCTETS)
        )
        ends = datetime.fromtimestamp(int.from_bytes(said[-5:], "big"), UTC)
        return Link(account_id, user_id, held_id, _ACTS[said[3 * _ID_OCTETS]], ends)

    def _signature(self, said: bytes) -> bytes:
        return hmac.digest(self._key, _PURPOSE + said, hashlib.sha256)


def _text(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
