"""Secrets open under the key and for the account that they were sealed for, and only if nobody touched them."""

from __future__ import annotations

import pytest
from cryptography.exceptions import InvalidTag

from mailreeve.store.secrets import KEY_OCTETS, Vault

VAULT = Vault(bytes(KEY_OCTETS))
SECRET = b"\x00secret\xff" * 8


@pytest.mark.parametrize("secret", [b"", b"x", SECRET, bytes(64)])
def test_a_secret_opens_for_its_account(secret: bytes) -> None:
    """As it was, also in another process with the same key."""
    assert Vault(bytes(KEY_OCTETS)).open(VAULT.seal(secret, "one"), "one") == secret


def test_what_is_kept_does_not_show_the_secret() -> None:
    """Not even that two secrets are the same."""
    sealed = {VAULT.seal(SECRET, "one") for _ in range(50)}
    assert len(sealed) == 50
    assert not any(b"secret" in text for text in sealed)


def test_another_account_cannot_open_it() -> None:
    """A row that is copied into another account is of no use there."""
    with pytest.raises(InvalidTag):
        VAULT.open(VAULT.seal(SECRET, "one"), "two")


def test_another_key_cannot_open_it() -> None:
    """The database alone is of no use."""
    with pytest.raises(InvalidTag):
        Vault(b"\x01" * KEY_OCTETS).open(VAULT.seal(SECRET, "one"), "one")


@pytest.mark.parametrize("place", range(1, 1 + 12 + len(SECRET) + 16))
def test_a_changed_octet_is_noticed(place: int) -> None:
    """Anywhere after the one that names the key."""
    sealed = bytearray(VAULT.seal(SECRET, "one"))
    sealed[place] ^= 1
    with pytest.raises(InvalidTag):
        VAULT.open(bytes(sealed), "one")


def test_a_shortened_one_does_not_open() -> None:
    """Nor an empty one."""
    sealed = VAULT.seal(SECRET, "one")
    for text in (sealed[:-1], sealed[:20], sealed[:13]):
        with pytest.raises(InvalidTag):
            VAULT.open(text, "one")
