"""The endpoints about imports of users (api.md section 3.6)."""

from __future__ import annotations

from typing import Final

from msgspec import UNSET

from mailreeve.access.permissions import Permission
from mailreeve.families.directory.imports import operations
from mailreeve.families.directory.imports.types import ImportStatus, OneImport, ReadImport, StartedImport
from mailreeve.families.machinery.call import Call
from mailreeve.wire import fields
from mailreeve.wire.endpoint import endpoint
from mailreeve.wire.tokens import Kind


@endpoint(
    "user/import-users",
    Permission.DIRECTORIES_IMPORT_EDIT,
    writes=True,
    most=1,
    prepare=operations.prepare,
    slow="file",
    file="file",
)
def import_users(call: Call, read: ReadImport) -> StartedImport:
    """Make users of a file, in the background."""
    row = operations.begin(call, read)
    return StartedImport(call.seal(Kind.USER_IMPORT, row.id), row.state, row.counts.total)


@endpoint("user/get-import-status", Permission.DIRECTORIES_IMPORT_READ, most=10)
def get_import_status(call: Call, item: OneImport) -> ImportStatus:
    """Tell how far an import of users has got."""
    row = operations.get(call, item.id)
    return ImportStatus(
        id=call.seal(Kind.USER_IMPORT, row.id),
        status=row.state,
        total=row.counts.total,
        processed=row.counts.processed,
        created=row.counts.created,
        updated=row.counts.updated,
        unchanged=row.counts.unchanged,
        refused=row.counts.refused,
        errors=row.counts.errors,
        started=fields.written(row.created_at),
        started_by=row.made_by,
        finished=UNSET if row.finished_at is None else fields.written(row.finished_at),
        problem=row.problem or UNSET,
    )


ENDPOINTS: Final = (import_users, get_import_status)
