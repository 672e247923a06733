"""The items and answers of the domain endpoints (api.md section 3.8)."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct


class InboundType(StrEnum):
    """How recipients of a domain are validated (api.md section 3.8).

    `any` takes mail for every recipient, `known` for those in the directory only. `smtp` (ask the next hop) and
    `ldap` (ask a directory server) are kept and answered, and act as `any` today.
    """

    ANY = "any"
    SMTP = "smtp"
    LDAP = "ldap"
    KNOWN = "known"


class FindDomains(Struct, frozen=True):
    """Which domains to list: one, or all without a name."""

    domain: str | None = None


class CreateDomain(Struct, frozen=True, rename="camel"):
    """A domain to register. `inbound_type` is read in any case."""

    domain: str
    inbound_type: str | None = None


class DomainAnswer(Struct, frozen=True, rename="camel"):
    """A domain that the account manages."""

    id: str
    domain: str
    send_only: bool
    local: bool
    inbound_type: InboundType


class RegisteredDomain(Struct, frozen=True, rename="camel"):
    """A domain just registered. It needs no proof of ownership, so `token` and `expiry` are empty."""

    id: str
    domain: str
    token: str
    created: str
    expiry: str
    inbound_type: InboundType


class ChangeDomain(Struct, frozen=True, rename="camel"):
    """A domain whose recipients are to be validated in another way. `inbound_type` is read in any case."""

    domain: str
    inbound_type: str


class RemoveDomain(Struct, frozen=True, rename="camel"):
    """A domain that the account gives up. With `with_users` the users and aliases in it go as well."""

    domain: str
    with_users: bool = False


class RemovedDomain(Struct, frozen=True, rename="camel"):
    """A domain that is gone, with the users and aliases that went with it, by their addresses."""

    id: str
    domain: str
    users: Sequence[str]
    aliases: Sequence[str]
    deleted: bool = True
