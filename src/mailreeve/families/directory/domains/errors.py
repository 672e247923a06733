"""Errors of the account's domains."""

from __future__ import annotations

from typing import Final

from mailreeve.wire.errors import Fault, ItemRefused, refused

NOT_MANAGED: Final = Fault(
    "err_xdk_operation_forbidden_for_address", "0003 Forbidden To Perform Operation For Address"
)
DOMAIN_IN_USE: Final = Fault("err_domain_in_use", "The domain is in use")
DOMAIN_EXISTS: Final = Fault("err_domain_already_exists", "The domain is managed already")


def not_managed(domain: str, field: str) -> ItemRefused:
    """The exception that refuses an item about a domain that is none of the account's."""
    return refused(NOT_MANAGED, field, f"{NOT_MANAGED.message}: {domain} is none of the account's domains")
