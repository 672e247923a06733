"""What stands for an object on the wire? Sealed ids: opaque, stable, unguessable, useless elsewhere.

An id is the object's key in the store, encrypted with AES-SIV (RFC 5297) under a key of this installation. That
cipher is deterministic, so the same object has the same id for life, and it authenticates, so a forged id does
not open. Account and kind of object are bound in: an id of another account, or of a group where a policy is
asked for, is as good as a forged one.

Page tokens are sealed in the same way; what they hold is `pagination`'s business.
"""

from __future__ import annotations

import base64
import binascii
from enum import StrEnum
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from mailreeve.policy.model.policies import WebPolicyKind
from mailreeve.policy.model.policy_types import POLICY_TYPES
from mailreeve.wire.errors import INVALID_TOKEN, refused

KEY_OCTETS: Final = 64
_SEALED_OCTETS: Final = 32  # SIV tag and a 128-bit key
_TEXT_LENGTH: Final = 43  # base64url of the former, without padding


class Kind(StrEnum):
    """The kinds of object that have ids, but for policies of a `PolicyType`, see `POLICY_TYPES`."""

    ACCOUNT = "account"
    ARCHIVED_MESSAGE = "archived message"
    ATTRIBUTE = "attribute"
    WEB_POLICY = "web policy"
    WEB_TARGET = "web target"
    WEB_ENTRY = "web entry"
    WEB_ALLOW = "web allow"
    MANAGED_URL = "managed URL"
    WEB_PROXY = "web proxy"
    WEB_LOCATION = "web location"
    WEB_CLIENT = "web client"
    WEB_RECORD = "web record"
    WEB_ACCESS_REQUEST = "web access request"
    ALTERATION_SET = "address alteration set"
    ALTERATION_DEFINITION = "address alteration definition"
    DELEGATE = "delegate right"
    DIRECTORY = "directory"
    DOMAIN = "domain"
    GROUP = "group"
    GROUP_MEMBER = "group member"
    HELD_MESSAGE = "held message"
    MAIL_RECORD = "mail record"
    PENDING_DOMAIN = "pending domain"
    OUTGOING_MESSAGE = "outgoing message"
    AUDIT_EVENT = "audit event"
    USER = "user"
    USER_IMPORT = "user import"


KIND_OF_WEB: Final = {
    WebPolicyKind.LIST: Kind.WEB_POLICY,
    WebPolicyKind.TEMPORARY: Kind.WEB_ALLOW,
    WebPolicyKind.MANAGED: Kind.MANAGED_URL,
}
"""The kind of id that each kind of web policy has."""

_PREFIX: Final = {row.kind: row.id_prefix for row in POLICY_TYPES.values()}

_PAGE: Final = (b"page", b"token")  # What sets page tokens apart: an id is sealed with one such part, not two.


class Ids:
    """Seals and opens ids under one installation's key of `KEY_OCTETS` octets."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESSIV(key)

    def seal(self, kind: str, key: str, account_id: str) -> str:
        """The id of the object whose store key, 32 hexadecimal digits, is `key`."""
        sealed = self._cipher.encrypt(bytes.fromhex(key), [account_id.encode(), kind.encode()])
        return _PREFIX.get(kind, "") + _text(sealed)

    def open(self, kind: str, text: str, account_id: str, field: str = "id") -> str:
        """The store key behind an id. Raises `ItemRefused` naming `field` when it was not given to this
        account for this kind of object."""
        body = text.removeprefix(_PREFIX.get(kind, ""))
        try:
            if len(body) != _TEXT_LENGTH:
                raise ValueError
            sealed = base64.b64decode(body + "=", altchars=b"-_", validate=True)
            # The last character carries two bits that decoding drops; only one spelling is an id.
            if len(sealed) != _SEALED_OCTETS or _text(sealed) != body:
                raise ValueError
            return self._cipher.decrypt(sealed, [account_id.encode(), kind.encode()]).hex()
        except (ValueError, binascii.Error, InvalidTag) as problem:
            message = f"{INVALID_TOKEN.message}: this account has no such id of this kind"
            raise refused(INVALID_TOKEN, field, message) from problem

    def seal_page(self, content: bytes, account_id: str) -> str:
        """The page token that holds this content, for this account alone."""
        return _text(self._cipher.encrypt(content, [account_id.encode(), *_PAGE]))

    def open_page(self, text: str, account_id: str) -> bytes:
        """The content of a page token. Raises `ValueError` for what is none of this account's."""
        try:
            sealed = base64.b64decode(
                text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True
            )
            if _text(sealed) != text:
                raise ValueError("not spelled as it was given")
            return self._cipher.decrypt(sealed, [account_id.encode(), *_PAGE])
        except (binascii.Error, InvalidTag) as problem:
            raise ValueError("not sealed here") from problem


def _text(sealed: bytes) -> str:
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()
