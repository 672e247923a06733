"""The endpoints about directory connections (api.md section 3.7)."""

from __future__ import annotations

import threading
from typing import Final

from msgspec import UNSET

from mailreeve.access.permissions import Permission
from mailreeve.families.directory.account import rows as accounts
from mailreeve.families.directory.sync import ldap, operations, rows
from mailreeve.families.directory.sync.errors import DIRECTORY_UNREACHABLE, NO_DIRECTORY
from mailreeve.families.directory.sync.ldap import DirectoryError
from mailreeve.families.directory.sync.types import (
    ConnectionAnswer,
    EveryConnection,
    PlannedChanges,
    StartedSync,
)
from mailreeve.families.machinery.call import Call
from mailreeve.families.machinery.directory_source import DirectorySource
from mailreeve.wire import fields
from mailreeve.wire.endpoint import endpoint
from mailreeve.wire.errors import BUSY, RequestRefused, refused
from mailreeve.wire.tokens import Kind

MOST_TOLD: Final = 500  # changes that are told

_previewing: Final = threading.Lock()


@endpoint("directory/get-connection", Permission.SERVICES_DIRECTORY_SYNC_READ, most=1)
def get_connection(call: Call, item: EveryConnection) -> list[ConnectionAnswer]:
    """Tell of the connection to a directory, if there is one."""
    row, source = rows.find(call.work), _source(call)
    if source is None:
        return []
    return [
        ConnectionAnswer(
            id=call.seal(Kind.DIRECTORY, row.id) if row.id else "",
            description=source.base,
            server_type="ldap",
            server=source.url,
            status="failed" if row.problem else "ok" if row.read_at is not None else "never read",
            problem=row.problem,
            changes=row.changes,
            last_sync=UNSET if row.read_at is None else fields.written(row.read_at),
        )
    ]


@endpoint("directory/execute-sync", Permission.SERVICES_DIRECTORY_SYNC_EDIT, writes=True, most=1)
def execute_sync(call: Call, item: EveryConnection) -> StartedSync:
    """Have a server take the directory over, within a second or two."""
    if _source(call) is None:
        raise refused(NO_DIRECTORY)
    operations.ask(call)
    return StartedSync("started", "ldap")


@endpoint("ext/preview-directory-sync", Permission.SERVICES_DIRECTORY_SYNC_READ, most=1)
def preview_directory_sync(call: Call, item: EveryConnection) -> PlannedChanges:
    """Read the directory, and tell what a sync would change now."""
    source = _source(call)
    if source is None:
        raise refused(NO_DIRECTORY)
    # It takes a thread for as long as the directory takes to answer.
    if not _previewing.acquire(blocking=False):
        raise RequestRefused(BUSY)
    try:
        snapshot = ldap.read(source)
    except DirectoryError as problem:
        raise refused(DIRECTORY_UNREACHABLE, None, f"{DIRECTORY_UNREACHABLE.message}: {problem}") from problem
    finally:
        _previewing.release()
    changes = call.rehearse(lambda rehearsed: operations.take_over(rehearsed, snapshot)).result
    return PlannedChanges(len(changes), changes[:MOST_TOLD])


def _source(call: Call) -> DirectorySource | None:
    """The directory of the installation, where it is this account's."""
    source = call.installation.directory
    if source is None:
        return None
    is_theirs = accounts.get(call.work).code == source.account if source.account else accounts.is_alone(call.work)
    return source if is_theirs else None


ENDPOINTS: Final = (get_connection, execute_sync, preview_directory_sync)
