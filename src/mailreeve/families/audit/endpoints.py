"""The functions that read the audit log: those of the API (api.md section 3.10), and one of ours."""

from __future__ import annotations

from typing import Final

from mailreeve.access.permissions import Permission
from mailreeve.families.audit import operations, restoring, words
from mailreeve.families.audit.types import (
    AuditEvent,
    AuditRecord,
    AuditVerified,
    Category,
    FindAuditEvents,
    GetAuditEvents,
    GetHistory,
    NoMembers,
    Restore,
    Restored,
    VerifyAudit,
)
from mailreeve.families.machinery.call import Call
from mailreeve.wire.endpoint import endpoint
from mailreeve.wire.pagination import Page

PERMISSION: Final = Permission.ACCOUNT_LOGS_READ


@endpoint("audit/get-audit-events", PERMISSION, most=10)
def get_audit_events(call: Call, item: GetAuditEvents) -> Page[AuditEvent]:
    """List changes by time, category, type and text."""
    return operations.events(call, item)


@endpoint("audit/get-categories")
def get_categories(call: Call, item: NoMembers) -> list[Category]:
    """List the categories of changes."""
    return [Category(code, description) for code, description in words.CATEGORIES.items()]


@endpoint("ext/find-audit-events", PERMISSION, most=10)
def find_audit_events(call: Call, item: FindAuditEvents) -> Page[AuditRecord]:
    """List changes with the object before and after."""
    return operations.records(call, item)


@endpoint("ext/verify-audit", PERMISSION, most=1)
def verify_audit(call: Call, item: VerifyAudit) -> AuditVerified:
    """Say whether the log of changes is as it was written."""
    return operations.verified(call, item.known)


@endpoint("ext/get-history", PERMISSION, most=10)
def get_history(call: Call, item: GetHistory) -> Page[AuditRecord]:
    """List the versions of an object, or what a request changed."""
    return operations.history(call, item)


@endpoint("ext/restore", PERMISSION, writes=True, most=1)
def restore(call: Call, item: Restore) -> Restored:
    """Have objects become again what they were."""
    return restoring.restore(call, item)


ENDPOINTS: Final = (get_audit_events, get_categories, find_audit_events, verify_audit, get_history, restore)
