"""How are secrets kept that are needed in clear? Encrypted under a key that is not in the database.

AES-256-GCM with the account's id as associated data: a sealed secret opens for its own account only. A leading
octet names the key, so that keys can be exchanged one day.
"""

from __future__ import annotations

import os
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_OCTETS: Final = 32
_NONCE_OCTETS: Final = 12
_KEY_ID: Final = b"\x01"


class Vault:
    """Seals and opens secrets under one key of `KEY_OCTETS` octets."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, secret: bytes, account_id: str) -> bytes:
        """The secret, encrypted."""
        nonce = os.urandom(_NONCE_OCTETS)
        return _KEY_ID + nonce + self._cipher.encrypt(nonce, secret, account_id.encode())

    def open(self, sealed: bytes, account_id: str) -> bytes:
        """The secret, in clear. Raises `cryptography.exceptions.InvalidTag` when it was sealed under another key
        or for another account."""
        nonce, box = sealed[1 : 1 + _NONCE_OCTETS], sealed[1 + _NONCE_OCTETS :]
        return self._cipher.decrypt(nonce, box, account_id.encode())
