"""The functions of web places. Made by tools/make_client.py."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from mailreeve.client.aio.api import AsyncApi
    from mailreeve.client.api import Api


class ClientAnswer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Whose an address or network is."""

    id: str = ""
    network: str = ""
    user: str | None = None
    location: str | None = None


class DeletedLocation(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A location that is gone."""

    id: str = ""
    deleted: bool = False


class LocationAnswer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A location. `lists` is how many web lists are bound to it."""

    id: str = ""
    name: str = ""
    networks: tuple[str, ...] = ()
    lists: int = 0


class RemovedClient(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A client that is known no more."""

    network: str = ""
    removed: bool = False


class WebPlacesFunctions:
    """What can be asked about web places."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def create_web_location(self, *, name: str, networks: Sequence[str]) -> LocationAnswer:
        """Create a location: a name for the networks that its web requests come from."""
        return self._api.one_of(LocationAnswer, "ext/create-web-location", {"name": name, "networks": networks})

    def get_web_locations(
        self, *, id: str | None = None, page_size: int | None = None
    ) -> Iterator[LocationAnswer]:
        """List the locations, or return one of them."""
        return self._api.every_of(LocationAnswer, "ext/get-web-locations", {"id": id}, page_size=page_size)

    def update_web_location(
        self, *, id: str, name: str | None = None, networks: Sequence[str] | None = None
    ) -> LocationAnswer:
        """Change a location's name or networks. Web lists that are bound to it follow."""
        return self._api.one_of(
            LocationAnswer, "ext/update-web-location", {"id": id, "name": name, "networks": networks}
        )

    def delete_web_location(self, *, id: str) -> DeletedLocation:
        """Delete a location that no web list and no client names."""
        return self._api.one_of(DeletedLocation, "ext/delete-web-location", {"id": id})

    def set_web_clients(
        self, *, network: str, user: str | None = None, location: str | None = None
    ) -> ClientAnswer:
        """Say which user or location an address or network is."""
        return self._api.one_of(
            ClientAnswer, "ext/set-web-clients", {"network": network, "user": user, "location": location}
        )

    def get_web_clients(self, *, page_size: int | None = None) -> Iterator[ClientAnswer]:
        """List the addresses and networks that are known as users or locations."""
        return self._api.every_of(ClientAnswer, "ext/get-web-clients", {}, page_size=page_size)

    def remove_web_clients(self, *, network: str) -> RemovedClient:
        """Forget which user or location an address or network is."""
        return self._api.one_of(RemovedClient, "ext/remove-web-clients", {"network": network})


class AsyncWebPlacesFunctions:
    """What can be asked about web places."""

    def __init__(self, api: AsyncApi) -> None:
        self._api = api

    async def create_web_location(self, *, name: str, networks: Sequence[str]) -> LocationAnswer:
        """Create a location: a name for the networks that its web requests come from."""
        return await self._api.one_of(
            LocationAnswer, "ext/create-web-location", {"name": name, "networks": networks}
        )

    def get_web_locations(
        self, *, id: str | None = None, page_size: int | None = None
    ) -> AsyncIterator[LocationAnswer]:
        """List the locations, or return one of them."""
        return self._api.every_of(LocationAnswer, "ext/get-web-locations", {"id": id}, page_size=page_size)

    async def update_web_location(
        self, *, id: str, name: str | None = None, networks: Sequence[str] | None = None
    ) -> LocationAnswer:
        """Change a location's name or networks. Web lists that are bound to it follow."""
        return await self._api.one_of(
            LocationAnswer, "ext/update-web-location", {"id": id, "name": name, "networks": networks}
        )

    async def delete_web_location(self, *, id: str) -> DeletedLocation:
        """Delete a location that no web list and no client names."""
        return await self._api.one_of(DeletedLocation, "ext/delete-web-location", {"id": id})

    async def set_web_clients(
        self, *, network: str, user: str | None = None, location: str | None = None
    ) -> ClientAnswer:
        """Say which user or location an address or network is."""
        return await self._api.one_of(
            ClientAnswer, "ext/set-web-clients", {"network": network, "user": user, "location": location}
        )

    def get_web_clients(self, *, page_size: int | None = None) -> AsyncIterator[ClientAnswer]:
        """List the addresses and networks that are known as users or locations."""
        return self._api.every_of(ClientAnswer, "ext/get-web-clients", {}, page_size=page_size)

    async def remove_web_clients(self, *, network: str) -> RemovedClient:
        """Forget which user or location an address or network is."""
        return await self._api.one_of(RemovedClient, "ext/remove-web-clients", {"network": network})
