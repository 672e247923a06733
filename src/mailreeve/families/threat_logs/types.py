"""The items and answers of logs of scans (api.md section 6)."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct, field


class ScannedRoute(StrEnum):
    """Which way a message went."""

    ALL = "all"
    INBOUND = "inbound"
    OUTBOUND = "outbound"
    INTERNAL = "internal"


class AttachmentResult(StrEnum):
    """What a scan of an attachment found."""

    ALL = "all"
    SAFE = "safe"
    MALICIOUS = "malicious"
    TIMEOUT = "timeout"
    ERROR = "error"
    UNSAFE = "unsafe"


class FindAttachmentLogs(Struct, frozen=True, rename="camel"):
    """Which scans of attachments: from `from` until `to`, without these the ones of today."""

    from_: str | None = field(name="from", default=None)
    to: str | None = None
    route: ScannedRoute = ScannedRoute.ALL
    result: AttachmentResult = AttachmentResult.ALL
    oldest_first: bool = False


class AttachmentLog(Struct, frozen=True, rename="camel"):
    """A scan of an attachment."""

    sender_address: str
    recipient_address: str
    file_name: str
    file_type: str
    result: str
    action_triggered: str
    date: str
    details: str
    route: str
    message_id: str
    subject: str
    file_hash: str
    definition: str


class AttachmentLogs(Struct, frozen=True, rename="camel"):
    """A page of scans of attachments."""

    attachment_logs: Sequence[AttachmentLog]


class FindImpersonationLogs(Struct, frozen=True, rename="camel"):
    """Which findings of impersonation: from `from` until `to`, without these the ones of today, by text, in which
    field, and by what was found and done."""

    from_: str | None = field(name="from", default=None)
    to: str | None = None
    query: str | None = None
    search_field: str | None = None
    identifiers: Sequence[str] = ()
    actions: str | Sequence[str] = ()
    tagged_malicious: bool | None = None
    oldest_first: bool = False


class ImpersonationLog(Struct, frozen=True, rename="camel"):
    """A finding of impersonation."""

    id: str
    sender_address: str
    recipient_address: str
    subject: str
    definition: str
    hits: int
    identifiers: Sequence[str]
    action: str
    tagged_external: bool
    tagged_malicious: bool
    sender_ip_address: str
    event_time: str
    message_id: str


class ImpersonationLogs(Struct, frozen=True, rename="camel"):
    """A page of findings of impersonation, and how many there are."""

    impersonation_logs: Sequence[ImpersonationLog]
    result_count: int
