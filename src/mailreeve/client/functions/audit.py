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


class AuditVerified(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Whether the log is as it was written, the first events that are not, how many there are, and the digest
    of the newest, to be noted elsewhere.
    """

    whole: bool = False
    events: int = 0
    head: str = ""
    broken: tuple[BrokenLink, ...] = ()


class BrokenLink(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An event that does not follow from the one before it. `id` is empty where events are missing that no
    other one follows, or the digest that was noted.
    """

    id: str = ""
    why: str = ""


class Category(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A category of events."""

    code: str = ""
    description: str = ""


class Restored(Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"dry_run": "dryRun"}):
    """What became of each object, or with `dry_run` would; `changed` is how many are now others."""

    dry_run: bool = False
    changed: int = 0
    objects: tuple[RestoredObject, ...] = ()


class RestoredObject(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"object_kind": "objectKind", "object_id": "objectId", "object_name": "objectName"},
):
    """An object and what becomes of it; `why` it is left as it is, or cannot become what it was. `changes` are
    from what it is now to what it was.
    """

    object_kind: str = ""
    object_id: str = ""
    object_name: str = ""
    outcome: str = ""
    why: str = ""
    changes: tuple[AuditChange, ...] = ()


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

    def verify_audit(self, *, known: str | None = None) -> AuditVerified:
        """Say whether the log of changes is as it was written."""
        return self._api.one_of(AuditVerified, "ext/verify-audit", {"known": known})

    def get_history(
        self,
        *,
        object_id: str | None = None,
        event_id: str | None = None,
        request_id: str | None = None,
        oldest_first: bool | None = None,
        page_size: int | None = None,
    ) -> Iterator[AuditRecord]:
        """List the versions of an object, or what a request changed."""
        return self._api.every_of(
            AuditRecord,
            "ext/get-history",
            {"objectId": object_id, "eventId": event_id, "requestId": request_id, "oldestFirst": oldest_first},
            page_size=page_size,
        )

    def restore(
        self,
        *,
        event_id: str | None = None,
        before: bool | None = None,
        request_id: str | None = None,
        at: str | None = None,
        dry_run: bool | None = None,
        force: bool | None = None,
    ) -> Restored:
        """Have objects become again what they were."""
        return self._api.one_of(
            Restored,
            "ext/restore",
            {
                "eventId": event_id,
                "before": before,
                "requestId": request_id,
                "at": at,
                "dryRun": dry_run,
                "force": force,
            },
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

    async def verify_audit(self, *, known: str | None = None) -> AuditVerified:
        """Say whether the log of changes is as it was written."""
        return await self._api.one_of(AuditVerified, "ext/verify-audit", {"known": known})

    def get_history(
        self,
        *,
        object_id: str | None = None,
        event_id: str | None = None,
        request_id: str | None = None,
        oldest_first: bool | None = None,
        page_size: int | None = None,
    ) -> AsyncIterator[AuditRecord]:
        """List the versions of an object, or what a request changed."""
        return self._api.every_of(
            AuditRecord,
            "ext/get-history",
            {"objectId": object_id, "eventId": event_id, "requestId": request_id, "oldestFirst": oldest_first},
            page_size=page_size,
        )

    async def restore(
        self,
        *,
        event_id: str | None = None,
        before: bool | None = None,
        request_id: str | None = None,
        at: str | None = None,
        dry_run: bool | None = None,
        force: bool | None = None,
    ) -> Restored:
        """Have objects become again what they were."""
        return await self._api.one_of(
            Restored,
            "ext/restore",
            {
                "eventId": event_id,
                "before": before,
                "requestId": request_id,
                "at": at,
                "dryRun": dry_run,
                "force": force,
            },
        )
