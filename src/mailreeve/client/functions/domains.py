"""The functions of domains. Made by tools/make_client.py."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from mailreeve.client.aio.api import AsyncApi
    from mailreeve.client.api import Api


class DomainAnswer(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"send_only": "sendOnly", "inbound_type": "inboundType"},
):
    """A domain that the account manages."""

    id: str = ""
    domain: str = ""
    send_only: bool = False
    local: bool = False
    inbound_type: str = ""


class GivenUpDomain(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A domain that waits no more."""

    id: str = ""
    domain: str = ""
    deleted: bool = False


class PendingDomain(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A domain that waits for its proof: a TXT record with the text `token`."""

    id: str = ""
    domain: str = ""
    token: str = ""
    created: str = ""
    expiry: str = ""


class ProvisionStatus(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far the registration of a domain has got: `pending` or `provisioned`."""

    domain: str = ""
    status: str = ""


class RegisteredDomain(
    Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"inbound_type": "inboundType"}
):
    """A domain just registered. Where it is the account's at once, `token` and `expiry` are empty; else it
    waits until the DNS has the `token`, or until `expiry`.
    """

    id: str = ""
    domain: str = ""
    token: str = ""
    created: str = ""
    expiry: str = ""
    inbound_type: str = ""


class RemovedDomain(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A domain that is gone, with the users and aliases that went with it, by their addresses."""

    id: str = ""
    domain: str = ""
    users: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    deleted: bool = False


class VerificationCode(
    Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"record_type": "recordType"}
):
    """The proof of a domain: a record of the type `record_type` with the text `token`, at one of `names`."""

    domain: str = ""
    token: str = ""
    record_type: str = ""
    names: tuple[str, ...] = ()
    expiry: str = ""


class DomainsFunctions:
    """What can be asked about domains."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def get_internal_domain(
        self, *, domain: str | None = None, page_size: int | None = None
    ) -> Iterator[DomainAnswer]:
        """List the account's domains, or one of them."""
        return self._api.every_of(
            DomainAnswer, "domain/get-internal-domain", {"domain": domain}, page_size=page_size
        )

    def create_domain(self, *, domain: str, inbound_type: str | None = None) -> RegisteredDomain:
        """Register a domain."""
        return self._api.one_of(
            RegisteredDomain, "domain/create-domain", {"domain": domain, "inboundType": inbound_type}
        )

    def verify_domain(self, *, domain: str, inbound_type: str | None = None) -> DomainAnswer:
        """Look into the DNS for the code of a domain, and take mail for it if it is there."""
        return self._api.one_of(
            DomainAnswer, "domain/verify-domain", {"domain": domain, "inboundType": inbound_type}
        )

    def get_pending_domain(
        self, *, domain: str | None = None, page_size: int | None = None
    ) -> Iterator[PendingDomain]:
        """List the domains that wait for their proof, or one of them."""
        return self._api.every_of(
            PendingDomain, "domain/get-pending-domain", {"domain": domain}, page_size=page_size
        )

    def delete_pending_domain(self, *, domain: str | None = None, id: str | None = None) -> GivenUpDomain:
        """Give up on a domain that waits for its proof."""
        return self._api.one_of(GivenUpDomain, "domain/delete-pending-domain", {"domain": domain, "id": id})

    def get_verification_code(self, *, domain: str) -> VerificationCode:
        """Tell what the DNS has to say about a domain that waits."""
        return self._api.one_of(VerificationCode, "domain/get-verification-code", {"domain": domain})

    def get_provision_status(self, *, domain: str) -> ProvisionStatus:
        """Tell whether a domain waits, or is the account's."""
        return self._api.one_of(ProvisionStatus, "domain/get-provision-status", {"domain": domain})

    def update_domain(self, *, domain: str, inbound_type: str) -> DomainAnswer:
        """Change how the recipients of a domain are validated."""
        return self._api.one_of(DomainAnswer, "ext/update-domain", {"domain": domain, "inboundType": inbound_type})

    def remove_domain(self, *, domain: str, with_users: bool | None = None) -> RemovedDomain:
        """Give a domain up: mail for it is nobody's any more."""
        return self._api.one_of(RemovedDomain, "ext/remove-domain", {"domain": domain, "withUsers": with_users})


class AsyncDomainsFunctions:
    """What can be asked about domains."""

    def __init__(self, api: AsyncApi) -> None:
        self._api = api

    def get_internal_domain(
        self, *, domain: str | None = None, page_size: int | None = None
    ) -> AsyncIterator[DomainAnswer]:
        """List the account's domains, or one of them."""
        return self._api.every_of(
            DomainAnswer, "domain/get-internal-domain", {"domain": domain}, page_size=page_size
        )

    async def create_domain(self, *, domain: str, inbound_type: str | None = None) -> RegisteredDomain:
        """Register a domain."""
        return await self._api.one_of(
            RegisteredDomain, "domain/create-domain", {"domain": domain, "inboundType": inbound_type}
        )

    async def verify_domain(self, *, domain: str, inbound_type: str | None = None) -> DomainAnswer:
        """Look into the DNS for the code of a domain, and take mail for it if it is there."""
        return await self._api.one_of(
            DomainAnswer, "domain/verify-domain", {"domain": domain, "inboundType": inbound_type}
        )

    def get_pending_domain(
        self, *, domain: str | None = None, page_size: int | None = None
    ) -> AsyncIterator[PendingDomain]:
        """List the domains that wait for their proof, or one of them."""
        return self._api.every_of(
            PendingDomain, "domain/get-pending-domain", {"domain": domain}, page_size=page_size
        )

    async def delete_pending_domain(self, *, domain: str | None = None, id: str | None = None) -> GivenUpDomain:
        """Give up on a domain that waits for its proof."""
        return await self._api.one_of(GivenUpDomain, "domain/delete-pending-domain", {"domain": domain, "id": id})

    async def get_verification_code(self, *, domain: str) -> VerificationCode:
        """Tell what the DNS has to say about a domain that waits."""
        return await self._api.one_of(VerificationCode, "domain/get-verification-code", {"domain": domain})

    async def get_provision_status(self, *, domain: str) -> ProvisionStatus:
        """Tell whether a domain waits, or is the account's."""
        return await self._api.one_of(ProvisionStatus, "domain/get-provision-status", {"domain": domain})

    async def update_domain(self, *, domain: str, inbound_type: str) -> DomainAnswer:
        """Change how the recipients of a domain are validated."""
        return await self._api.one_of(
            DomainAnswer, "ext/update-domain", {"domain": domain, "inboundType": inbound_type}
        )

    async def remove_domain(self, *, domain: str, with_users: bool | None = None) -> RemovedDomain:
        """Give a domain up: mail for it is nobody's any more."""
        return await self._api.one_of(
            RemovedDomain, "ext/remove-domain", {"domain": domain, "withUsers": with_users}
        )
