"""The functions of imports. Made by tools/make_client.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from mailreeve.client.aio.api import AsyncApi
    from mailreeve.client.api import Api


class ImportStatus(Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"started_by": "startedBy"}):
    """How far an import has got: of `total` lines so many are `processed`, each of which made a user, changed
    one, changed nothing or was refused. Of the refused lines the first are told.
    """

    id: str = ""
    status: str = ""
    total: int = 0
    processed: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: int = 0
    errors: tuple[RefusedLine, ...] = ()
    started: str = ""
    started_by: str = ""
    finished: str | None = None
    problem: str | None = None


class RefusedLine(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line of the file that was not taken over, and why."""

    line: int = 0
    email: str = ""
    code: str = ""
    message: str = ""


class StartedImport(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An import that is under way. `id` is for its status."""

    id: str = ""
    status: str = ""
    total: int = 0


class ImportsFunctions:
    """What can be asked about imports."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def import_users(self, *, file: str | None = None, notify_email_address: str | None = None) -> StartedImport:
        """Make users of a file, in the background."""
        return self._api.one_of(
            StartedImport, "user/import-users", {"file": file, "notifyEmailAddress": notify_email_address}
        )

    def get_import_status(self, *, id: str | None = None) -> ImportStatus:
        """Tell how far an import of users has got."""
        return self._api.one_of(ImportStatus, "user/get-import-status", {"id": id})


class AsyncImportsFunctions:
    """What can be asked about imports."""

    def __init__(self, api: AsyncApi) -> None:
        self._api = api

    async def import_users(
        self, *, file: str | None = None, notify_email_address: str | None = None
    ) -> StartedImport:
        """Make users of a file, in the background."""
        return await self._api.one_of(
            StartedImport, "user/import-users", {"file": file, "notifyEmailAddress": notify_email_address}
        )

    async def get_import_status(self, *, id: str | None = None) -> ImportStatus:
        """Tell how far an import of users has got."""
        return await self._api.one_of(ImportStatus, "user/get-import-status", {"id": id})
