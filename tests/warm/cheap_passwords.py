"""Passwords of tests protect nothing, and to hash one as it ought to be takes a tenth of a second of two cores."""

from __future__ import annotations

from argon2 import PasswordHasher


def make_passwords_cheap() -> None:
    """Hash with as little work as the library takes. It is Argon2id all the same."""
    from mailreeve.families.directory.users import passwords

    passwords._hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
