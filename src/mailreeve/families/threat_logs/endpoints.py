"""The logs of scans that clients fetch. Nothing here scans attachments or looks for impersonation, so that nothing
is recorded and each is empty: an item is read, its dates are checked, and none is left out."""

from __future__ import annotations

from typing import Final

from mailreeve.access.permissions import Permission
from mailreeve.families.machinery.call import Call
from mailreeve.families.threat_logs.types import (
    AttachmentLogs,
    FindAttachmentLogs,
    FindImpersonationLogs,
    ImpersonationLogs,
)
from mailreeve.wire import fields
from mailreeve.wire.endpoint import endpoint
from mailreeve.wire.pagination import Page


@endpoint("ttp/attachment/get-logs", Permission.MONITORING_ATTACHMENT_PROTECTION_READ, most=10)
def get_attachment_logs(call: Call, item: FindAttachmentLogs) -> Page[AttachmentLogs]:
    """List scans of attachments; none is done here, so that the list is empty."""
    fields.period(item.from_, item.to, call.work.now)
    return Page[AttachmentLogs]([AttachmentLogs([])], 0, 0)


@endpoint("ttp/impersonation/get-logs", Permission.MONITORING_IMPERSONATION_PROTECTION_READ, most=10)
def get_impersonation_logs(call: Call, item: FindImpersonationLogs) -> Page[ImpersonationLogs]:
    """List findings of impersonation; none are recorded here, so that the list is empty."""
    fields.period(item.from_, item.to, call.work.now)
    return Page[ImpersonationLogs]([ImpersonationLogs([], 0)], 0, 0)


ENDPOINTS: Final = (get_attachment_logs, get_impersonation_logs)
