"""The endpoints about the purge list (api.md section 3.6)."""

from __future__ import annotations

from typing import Final

from mailreeve.access.permissions import Permission
from mailreeve.families.directory.purging import operations, rows
from mailreeve.families.directory.purging.rows import MarkRow
from mailreeve.families.directory.purging.types import EveryMark, MarkedUser, PurgeAddresses, UnmarkedUser
from mailreeve.families.directory.users import rows as users
from mailreeve.families.machinery.call import Call
from mailreeve.wire import fields
from mailreeve.wire.endpoint import endpoint
from mailreeve.wire.pagination import Page
from mailreeve.wire.tokens import Kind


@endpoint("user/add-to-purge-list", Permission.DIRECTORIES_INTERNAL_PURGE_ADDRESS, writes=True, most=1)
def add_to_purge_list(call: Call, item: PurgeAddresses) -> list[MarkedUser]:
    """Mark users for removal."""
    return [_answer(call, row, user.address) for row, user in operations.mark(call, item.email_addresses)]


@endpoint(
    "user/remove-from-purge-list",
    Permission.DIRECTORIES_INTERNAL_REMOVE_ADDRESS_FROM_PURGE_LIST,
    writes=True,
    most=1,
)
def remove_from_purge_list(call: Call, item: PurgeAddresses) -> list[UnmarkedUser]:
    """Unmark users: they stay."""
    return [
        UnmarkedUser(call.seal(Kind.USER, user.id), user.address, was_marked)
        for user, was_marked in operations.unmark(call, item.email_addresses)
    ]


@endpoint("ext/get-purge-list", Permission.DIRECTORIES_INTERNAL_READ)
def get_purge_list(call: Call, item: EveryMark) -> Page[MarkedUser]:
    """List the users who are marked for removal."""
    page = rows.page(call.work, call.page)
    found = {user.id: user.address for user in users.some(call.work, [row.id for row in page.rows])}
    return page.showing([_answer(call, row, found.get(row.id, "")) for row in page.rows])


def _answer(call: Call, row: MarkRow, address: str) -> MarkedUser:
    return MarkedUser(
        id=call.seal(Kind.USER, row.id),
        email_address=address,
        marked=fields.written(row.marked_at),
        marked_by=row.marked_by,
        purge_on=fields.written(row.due_at),
    )


ENDPOINTS: Final = (add_to_purge_list, remove_from_purge_list, get_purge_list)
