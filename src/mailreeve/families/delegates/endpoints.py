"""The delegate endpoints (api.md section 3.5)."""

from __future__ import annotations

from typing import Final

from msgspec import UNSET

from mailreeve.access.permissions import Permission
from mailreeve.families.delegates import operations
from mailreeve.families.delegates.rows import DelegateRow
from mailreeve.families.delegates.types import (
    AddDelegate,
    DelegateAnswer,
    DelegateDone,
    DelegatesAnswer,
    FindDelegates,
    OneDelegate,
)
from mailreeve.families.machinery.call import Call
from mailreeve.wire import fields
from mailreeve.wire.endpoint import endpoint
from mailreeve.wire.pagination import Page

PERMISSION: Final = Permission.DIRECTORIES_INTERNAL_CREATE_ALTERNATE_ADDRESS


@endpoint("user/add-delegate-user", PERMISSION, writes=True)
def add_delegate_user(call: Call, item: AddDelegate) -> DelegateDone:
    """Let the primary user open the delegate's mailbox."""
    row = operations.add(call, item.primary_address, item.delegate_address, item.scopes, item.expires)
    return DelegateDone(call.seal(operations.KIND, row.id))


@endpoint("user/find-delegate-users", PERMISSION)
def find_delegate_users(call: Call, item: FindDelegates) -> Page[DelegatesAnswer]:
    """List the mailboxes that the primary user may open."""
    page = operations.held_by(call, item.primary_address)
    return page.showing([DelegatesAnswer([_answer(call, row) for row in page.rows])])


@endpoint("user/remove-delegate-user", PERMISSION, writes=True)
def remove_delegate_user(call: Call, item: OneDelegate) -> DelegateDone:
    """End a delegate right."""
    operations.remove(call, item.id)
    return DelegateDone(item.id)


def _answer(call: Call, row: DelegateRow) -> DelegateAnswer:
    wire_id = call.seal(operations.KIND, row.id)
    return DelegateAnswer(
        id=wire_id,
        email_address=row.mailbox,
        name=row.mailbox_name,
        source=row.mailbox_source,
        delegate_id=wire_id,
        secure_id=wire_id,
        delegate_address=row.mailbox,
        delegate_email_address=row.mailbox,
        scopes=row.opens,
        expires=UNSET if row.expires_at is None else fields.written(row.expires_at),
    )


ENDPOINTS: Final = (add_delegate_user, find_delegate_users, remove_delegate_user)
