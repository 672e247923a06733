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


class RegisteredDomain(
    Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"inbound_type": "inboundType"}
):
    """A domain just registered. It needs no proof of ownership, so `token` and `expiry` are empty."""

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
