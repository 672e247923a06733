"""The functions of purging. Made by tools/make_client.py."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from mailreeve.client.aio.api import AsyncApi
    from mailreeve.client.api import Api


class MarkedUser(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"email_address": "emailAddress", "marked_by": "markedBy", "purge_on": "purgeOn"},
):
    """A user who is marked for removal: by whom, since when, and from when on the user is gone."""

    id: str = ""
    email_address: str = ""
    marked: str = ""
    marked_by: str = ""
    purge_on: str = ""


class UnmarkedUser(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"email_address": "emailAddress", "was_marked": "wasMarked"},
):
    """A user who stays. `was_marked` says whether the user was to go."""

    id: str = ""
    email_address: str = ""
    was_marked: bool = False


class PurgingFunctions:
    """What can be asked about purging."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def add_to_purge_list(self, *, email_addresses: Sequence[str]) -> list[MarkedUser]:
        """Mark users for removal."""
        return self._api.all_of(MarkedUser, "user/add-to-purge-list", {"emailAddresses": email_addresses})

    def remove_from_purge_list(self, *, email_addresses: Sequence[str]) -> list[UnmarkedUser]:
        """Unmark users: they stay."""
        return self._api.all_of(UnmarkedUser, "user/remove-from-purge-list", {"emailAddresses": email_addresses})

    def get_purge_list(self, *, page_size: int | None = None) -> Iterator[MarkedUser]:
        """List the users who are marked for removal."""
        return self._api.every_of(MarkedUser, "ext/get-purge-list", {}, page_size=page_size)


class AsyncPurgingFunctions:
    """What can be asked about purging."""

    def __init__(self, api: AsyncApi) -> None:
        self._api = api

    async def add_to_purge_list(self, *, email_addresses: Sequence[str]) -> list[MarkedUser]:
        """Mark users for removal."""
        return await self._api.all_of(MarkedUser, "user/add-to-purge-list", {"emailAddresses": email_addresses})

    async def remove_from_purge_list(self, *, email_addresses: Sequence[str]) -> list[UnmarkedUser]:
        """Unmark users: they stay."""
        return await self._api.all_of(
            UnmarkedUser, "user/remove-from-purge-list", {"emailAddresses": email_addresses}
        )

    def get_purge_list(self, *, page_size: int | None = None) -> AsyncIterator[MarkedUser]:
        """List the users who are marked for removal."""
        return self._api.every_of(MarkedUser, "ext/get-purge-list", {}, page_size=page_size)
