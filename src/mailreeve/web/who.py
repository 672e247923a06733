"""Who browses? The user whom a proxy names, as the account's directory knows one."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from mailreeve.formats.addresses import Address, AddressError, parse_address
from mailreeve.formats.networks import IPAddress, parse_ip
from mailreeve.policy.index.policy_set import PolicySet

MAX_LOGIN: Final = 320
"""Characters of a login; a longer one is nobody's."""

_MAX_CLIENT: Final = 128  # characters of an address with its zone: what is longer is none, and is not remembered


def user_named(policies: PolicySet, login: str) -> Address | None:
    """The user whom a proxy calls so. An address is that address, in any case. A bare name, with or without a
    Windows domain in front of a backslash, is the user whose address has that local part, if the account has just
    one such user; else nobody: a guess would give one person the rules of another."""
    if not login or len(login) > MAX_LOGIN:
        return None
    name = login.rpartition("\\")[2]
    if "@" in name:
        return _address(name)
    directory = policies.directory
    found = {
        user.primary
        for domain in directory.internal_domains
        if (user := directory.users.get(f"{name.casefold()}@{domain}")) is not None
    }
    return _address(found.pop()) if len(found) == 1 else None


@lru_cache(maxsize=65_536)
def _address(text: str) -> Address | None:
    try:
        return parse_address(text)
    except AddressError:
        return None


def client_at(text: str) -> IPAddress | None:
    """The client's address; None where the text is none. A zone is no part of it."""
    return _client_at(text) if len(text) <= _MAX_CLIENT else None


@lru_cache(maxsize=65_536)
def _client_at(text: str) -> IPAddress | None:
    try:
        return parse_ip(text.partition("%")[0])
    except ValueError:
        return None
