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
    """A domain just registered. Where it is the account's at once, `token` and `expiry` are empty; else it waits
    until the DNS has the `token`, or until `expiry`."""

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


class FindPending(Struct, frozen=True):
    """Which of the domains that wait to list: one, or all without a name."""

    domain: str | None = None


class PendingDomain(Struct, frozen=True):
    """A domain that waits for its proof: a TXT record with the text `token`."""

    id: str
    domain: str
    token: str
    created: str
    expiry: str


class PendingOrId(Struct, frozen=True):
    """A domain that waits, by its name, its id, or both."""

    domain: str | None = None
    id: str | None = None


class GivenUpDomain(Struct, frozen=True):
    """A domain that waits no more."""

    id: str
    domain: str
    deleted: bool = True


class VerifyDomain(Struct, frozen=True, rename="camel"):
    """A domain whose proof is to be looked for. Without `inbound_type` the one it was registered with holds."""

    domain: str
    inbound_type: str | None = None


class OneDomain(Struct, frozen=True):
    """A domain, by its name."""

    domain: str


class VerificationCode(Struct, frozen=True, rename="camel"):
    """The proof of a domain: a record of the type `record_type` with the text `token`, at one of `names`."""

    domain: str
    token: str
    record_type: str
    names: Sequence[str]
    expiry: str


class ProvisionStatus(Struct, frozen=True):
    """How far the registration of a domain has got: `pending` or `provisioned`."""

    domain: str
    status: str
