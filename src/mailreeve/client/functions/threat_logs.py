"""The functions of threat logs. Made by tools/make_client.py."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

if TYPE_CHECKING:
    from mailreeve.client.aio.api import AsyncApi
    from mailreeve.client.api import Api


class AttachmentLog(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={
        "sender_address": "senderAddress",
        "recipient_address": "recipientAddress",
        "file_name": "fileName",
        "file_type": "fileType",
        "action_triggered": "actionTriggered",
        "message_id": "messageId",
        "file_hash": "fileHash",
    },
):
    """A scan of an attachment."""

    sender_address: str = ""
    recipient_address: str = ""
    file_name: str = ""
    file_type: str = ""
    result: str = ""
    action_triggered: str = ""
    date: str = ""
    details: str = ""
    route: str = ""
    message_id: str = ""
    subject: str = ""
    file_hash: str = ""
    definition: str = ""


class AttachmentLogs(
    Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"attachment_logs": "attachmentLogs"}
):
    """A page of scans of attachments."""

    attachment_logs: tuple[AttachmentLog, ...] = ()


class ImpersonationLog(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={
        "sender_address": "senderAddress",
        "recipient_address": "recipientAddress",
        "tagged_external": "taggedExternal",
        "tagged_malicious": "taggedMalicious",
        "sender_ip_address": "senderIpAddress",
        "event_time": "eventTime",
        "message_id": "messageId",
    },
):
    """A finding of impersonation."""

    id: str = ""
    sender_address: str = ""
    recipient_address: str = ""
    subject: str = ""
    definition: str = ""
    hits: int = 0
    identifiers: tuple[str, ...] = ()
    action: str = ""
    tagged_external: bool = False
    tagged_malicious: bool = False
    sender_ip_address: str = ""
    event_time: str = ""
    message_id: str = ""


class ImpersonationLogs(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"impersonation_logs": "impersonationLogs", "result_count": "resultCount"},
):
    """A page of findings of impersonation, and how many there are."""

    impersonation_logs: tuple[ImpersonationLog, ...] = ()
    result_count: int = 0


class ThreatLogsFunctions:
    """What can be asked about threat logs."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def attachment_get_logs(
        self,
        *,
        from_: str | None = None,
        to: str | None = None,
        route: Literal["all", "inbound", "outbound", "internal"] | None = None,
        result: Literal["all", "safe", "malicious", "timeout", "error", "unsafe"] | None = None,
        oldest_first: bool | None = None,
        page_size: int | None = None,
    ) -> Iterator[AttachmentLogs]:
        """List scans of attachments; none is done here, so that the list is empty."""
        return self._api.every_of(
            AttachmentLogs,
            "ttp/attachment/get-logs",
            {"from": from_, "to": to, "route": route, "result": result, "oldestFirst": oldest_first},
            page_size=page_size,
        )

    def impersonation_get_logs(
        self,
        *,
        from_: str | None = None,
        to: str | None = None,
        query: str | None = None,
        search_field: str | None = None,
        identifiers: Sequence[str] | None = None,
        actions: str | Sequence[str] | None = None,
        tagged_malicious: bool | None = None,
        oldest_first: bool | None = None,
        page_size: int | None = None,
    ) -> Iterator[ImpersonationLogs]:
        """List findings of impersonation; none are recorded here, so that the list is empty."""
        return self._api.every_of(
            ImpersonationLogs,
            "ttp/impersonation/get-logs",
            {
                "from": from_,
                "to": to,
                "query": query,
                "searchField": search_field,
                "identifiers": identifiers,
                "actions": actions,
                "taggedMalicious": tagged_malicious,
                "oldestFirst": oldest_first,
            },
            page_size=page_size,
        )


class AsyncThreatLogsFunctions:
    """What can be asked about threat logs."""

    def __init__(self, api: AsyncApi) -> None:
        self._api = api

    def attachment_get_logs(
        self,
        *,
        from_: str | None = None,
        to: str | None = None,
        route: Literal["all", "inbound", "outbound", "internal"] | None = None,
        result: Literal["all", "safe", "malicious", "timeout", "error", "unsafe"] | None = None,
        oldest_first: bool | None = None,
        page_size: int | None = None,
    ) -> AsyncIterator[AttachmentLogs]:
        """List scans of attachments; none is done here, so that the list is empty."""
        return self._api.every_of(
            AttachmentLogs,
            "ttp/attachment/get-logs",
            {"from": from_, "to": to, "route": route, "result": result, "oldestFirst": oldest_first},
            page_size=page_size,
        )

    def impersonation_get_logs(
        self,
        *,
        from_: str | None = None,
        to: str | None = None,
        query: str | None = None,
        search_field: str | None = None,
        identifiers: Sequence[str] | None = None,
        actions: str | Sequence[str] | None = None,
        tagged_malicious: bool | None = None,
        oldest_first: bool | None = None,
        page_size: int | None = None,
    ) -> AsyncIterator[ImpersonationLogs]:
        """List findings of impersonation; none are recorded here, so that the list is empty."""
        return self._api.every_of(
            ImpersonationLogs,
            "ttp/impersonation/get-logs",
            {
                "from": from_,
                "to": to,
                "query": query,
                "searchField": search_field,
                "identifiers": identifiers,
                "actions": actions,
                "taggedMalicious": tagged_malicious,
                "oldestFirst": oldest_first,
            },
            page_size=page_size,
        )
