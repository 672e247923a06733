"""The functions of sync. Made by tools/make_client.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from mailreeve.client.aio.api import AsyncApi
    from mailreeve.client.api import Api


class ConnectionAnswer(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"server_type": "serverType", "last_sync": "lastSync"},
):
    """The connection to a directory: where it is, and what came of reading it last. `problem` is why it could
    not be read, empty where it could.
    """

    id: str = ""
    description: str = ""
    server_type: str = ""
    server: str = ""
    status: str = ""
    problem: str = ""
    changes: int = 0
    last_sync: str | None = None


class PlannedChanges(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a sync would change now, in words; of many the first."""

    total: int = 0
    changes: tuple[str, ...] = ()


class StartedSync(Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"sync_status": "syncStatus"}):
    """A sync that a server begins within a second or two."""

    sync_status: str = ""
    type: str = ""


class SyncFunctions:
    """What can be asked about sync."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def get_connection(self) -> list[ConnectionAnswer]:
        """Tell of the connection to a directory, if there is one."""
        return self._api.all_of(ConnectionAnswer, "directory/get-connection", {})

    def execute_sync(self) -> StartedSync:
        """Have a server take the directory over, within a second or two."""
        return self._api.one_of(StartedSync, "directory/execute-sync", {})

    def preview_directory_sync(self) -> PlannedChanges:
        """Read the directory, and tell what a sync would change now."""
        return self._api.one_of(PlannedChanges, "ext/preview-directory-sync", {})


class AsyncSyncFunctions:
    """What can be asked about sync."""

    def __init__(self, api: AsyncApi) -> None:
        self._api = api

    async def get_connection(self) -> list[ConnectionAnswer]:
        """Tell of the connection to a directory, if there is one."""
        return await self._api.all_of(ConnectionAnswer, "directory/get-connection", {})

    async def execute_sync(self) -> StartedSync:
        """Have a server take the directory over, within a second or two."""
        return await self._api.one_of(StartedSync, "directory/execute-sync", {})

    async def preview_directory_sync(self) -> PlannedChanges:
        """Read the directory, and tell what a sync would change now."""
        return await self._api.one_of(PlannedChanges, "ext/preview-directory-sync", {})
