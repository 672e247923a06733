"""Errors of the account's domains."""

from __future__ import annotations

from typing import Final

from mailreeve.wire.errors import Fault, ItemRefused, refused

NOT_MANAGED: Final = Fault(
    "err_xdk_operation_forbidden_for_address", "0003 Forbidden To Perform Operation For Address"
)
DOMAIN_IN_USE: Final = Fault("err_domain_in_use", "The domain is in use")
DOMAIN_EXISTS: Final = Fault("err_domain_already_exists", "The domain is managed already")
DOMAIN_NOT_PENDING: Final = Fault("err_domain_not_pending", "No such domain waits to be verified")
DOMAIN_NOT_VERIFIED: Final = Fault(
    "err_domain_not_verified", "The DNS does not have the code of the domain", retryable=True
)
DOMAIN_UNREACHABLE: Final = Fault("err_domain_look_up_failed", "The DNS could not be asked", retryable=True)
PENDING_LIMIT: Final = Fault("err_domain_pending_limit", "Too many domains wait to be verified")


def not_managed(domain: str, field: str) -> ItemRefused:
    """The exception that refuses an item about a domain that is none of the account's."""
    return refused(NOT_MANAGED, field, f"{NOT_MANAGED.message}: {domain} is none of the account's domains")
