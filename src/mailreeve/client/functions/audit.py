"""The functions of audit. Made by tools/make_client.py."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from mailreeve.client.aio.api import AsyncApi
    from mailreeve.client.api import Api


class AuditChange(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A member of an object that is now another. Null where it was not there, or is not."""

    member: str = ""
    before: object = None
    after: object = None


class AuditEvent(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"audit_type": "auditType", "event_time": "eventTime", "event_info": "eventInfo"},
):
    """An event as clients of the API know them: what changed is one text."""

    id: str = ""
    audit_type: str = ""
    user: str = ""
    event_time: str = ""
    event_info: str = ""
    category: str = ""


class AuditRecord(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={
        "app_id": "appId",
        "acting_for": "actingFor",
        "source_ip": "sourceIp",
        "request_id": "requestId",
        "object_kind": "objectKind",
        "object_name": "objectName",
        "object_id": "objectId",
    },
):
    """An event with the object before and after, null where there was none or is none. `object_name` is what
    people call it, `object_id` the id that the functions of its family take, where there are any; `changes`
    are the members that differ. `application` is what the actor used, by its name and the id that it goes
    by, both empty for a command on the folder itself, and before they were kept.
    """

    id: str = ""
    at: str = ""
    revision: int = 0
    actor: str = ""
    application: str = ""
    app_id: str = ""
    acting_for: str = ""
    source_ip: str = ""
    request_id: str = ""
    action: str = ""
    object_kind: str = ""
    object_name: str = ""
    object_id: str = ""
    category: str = ""
    changes: tuple[AuditChange, ...] = ()
    before: Mapping[str, object] | None = None
    after: Mapping[str, object] | None = None


class Category(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A category of events."""

    code: str = ""
    description: str = ""


class AuditFunctions:
    """What can be asked about audit."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def get_audit_events(
        self,
        *,
        start_date_time: str,
        end_date_time: str,
        query: str | None = None,
        categories: Sequence[str] | None = None,
        audit_type: str | None = None,
        page_size: int | None = None,
    ) -> Iterator[AuditEvent]:
        """List changes by time, category, type and text."""
        return self._api.every_of(
            AuditEvent,
            "audit/get-audit-events",
            {
                "startDateTime": start_date_time,
                "endDateTime": end_date_time,
                "query": query,
                "categories": categories,
                "auditType": audit_type,
            },
            page_size=page_size,
        )

    def get_categories(self) -> list[Category]:
        """List the categories of changes."""
        return self._api.all_of(Category, "audit/get-categories", {})

    def find_audit_events(
        self,
        *,
        since: str | None = None,
        until: str | None = None,
        actor: str | None = None,
        object_kind: str | None = None,
        object_id: str | None = None,
        action: str | None = None,
        category: str | None = None,
        query: str | None = None,
        oldest_first: bool | None = None,
        page_size: int | None = None,
    ) -> Iterator[AuditRecord]:
        """List changes with the object before and after."""
        return self._api.every_of(
            AuditRecord,
            "ext/find-audit-events",
            {
                "since": since,
                "until": until,
                "actor": actor,
                "objectKind": object_kind,
                "objectId": object_id,
                "action": action,
                "category": category,
                "query": query,
                "oldestFirst": oldest_first,
            },
            page_size=page_size,
        )


class AsyncAuditFunctions:
    """What can be asked about audit."""

    def __init__(self, api: AsyncApi) -> None:
        self._api = api

    def get_audit_events(
        self,
        *,
        start_date_time: str,
        end_date_time: str,
        query: str | None = None,
        categories: Sequence[str] | None = None,
        audit_type: str | None = None,
        page_size: int | None = None,
    ) -> AsyncIterator[AuditEvent]:
        """List changes by time, category, type and text."""
        return self._api.every_of(
            AuditEvent,
            "audit/get-audit-events",
            {
                "startDateTime": start_date_time,
                "endDateTime": end_date_time,
                "query": query,
                "categories": categories,
                "auditType": audit_type,
            },
            page_size=page_size,
        )

    async def get_categories(self) -> list[Category]:
        """List the categories of changes."""
        return await self._api.all_of(Category, "audit/get-categories", {})

    def find_audit_events(
        self,
        *,
        since: str | None = None,
        until: str | None = None,
        actor: str | None = None,
        object_kind: str | None = None,
        object_id: str | None = None,
        action: str | None = None,
        category: str | None = None,
        query: str | None = None,
        oldest_first: bool | None = None,
        page_size: int | None = None,
    ) -> AsyncIterator[AuditRecord]:
        """List changes with the object before and after."""
        return self._api.every_of(
            AuditRecord,
            "ext/find-audit-events",
            {
                "since": since,
                "until": until,
                "actor": actor,
                "objectKind": object_kind,
                "objectId": object_id,
                "action": action,
                "category": category,
                "query": query,
                "oldestFirst": oldest_first,
            },
            page_size=page_size,
        )
