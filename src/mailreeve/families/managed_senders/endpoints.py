"""The managed sender endpoints: that of the API (api.md section 3.1), and ours for lists and removal."""

from __future__ import annotations

from typing import Final

from msgspec import UNSET

from mailreeve.families.machinery.call import Call
from mailreeve.families.managed_senders import listing, operations
from mailreeve.families.managed_senders.listing import Narrowed
from mailreeve.families.managed_senders.rows import ManagedSenderRow
from mailreeve.families.managed_senders.types import (
    EntryAnswer,
    EntryType,
    FindEntries,
    ManagedSenderAnswer,
    OneEntry,
    PermitOrBlock,
    State,
)
from mailreeve.policy.model.policies import ManagedAction
from mailreeve.policy.model.policy_types import POLICY_TYPES, PolicyType
from mailreeve.wire import fields
from mailreeve.wire.endpoint import endpoint
from mailreeve.wire.pagination import Page

MAX_ITEMS: Final = 100  # api.md section 3.1.1

_ROW: Final = POLICY_TYPES[PolicyType.MANAGED_SENDERS]
_TYPE: Final = {ManagedAction.PERMIT: EntryType.PERMIT, ManagedAction.BLOCK: EntryType.BLOCK}


def _type(row: ManagedSenderRow) -> EntryType:
    return EntryType.AUTO if row.is_auto else _TYPE[row.action]


@endpoint(
    f"{_ROW.api}/permit-or-block-sender",
    *operations.EVERY_LIST,
    writes=True,
    most=MAX_ITEMS,
    own=True,
)
def permit_or_block_sender(call: Call, item: PermitOrBlock) -> ManagedSenderAnswer:
    """Permit or block a sender for one recipient."""
    row = operations.permit_or_block(call, item.sender, item.to, item.action, item.reason, item.expires)
    return _answer(call, row, item.sender, item.to)


@endpoint("ext/get-managed-senders", *operations.LISTS_SEEN, own=True)
def get_managed_senders(call: Call, item: FindEntries) -> Page[EntryAnswer]:
    """List the entries of personal lists, or those that are asked for."""
    which = Narrowed(
        operations.own_list(call) if item.to is None else operations.shown_list(call, item.to),
        None if item.sender is None else operations.sender_key(call, item.sender),
        item.type,
        item.text,
        item.state,
    )
    page = listing.page(call.work, call.page, which)
    return page.showing([_entry_answer(call, row) for row in page.rows])


@endpoint("ext/remove-managed-sender", *operations.EVERY_LIST, writes=True, own=True)
def remove_managed_sender(call: Call, item: OneEntry) -> ManagedSenderAnswer:
    """Remove an entry of a personal list, by its id or by recipient and sender."""
    row = operations.remove(call, item.id, item.to, item.sender)
    return _answer(call, row, row.sender_shown, row.recipient)


def _answer(call: Call, row: ManagedSenderRow, sender: str, to: str) -> ManagedSenderAnswer:
    return ManagedSenderAnswer(
        id=call.seal(operations.KIND, row.id),
        sender=sender,
        to=to,
        type=_type(row),
        reason=row.reason or UNSET,
        expires=UNSET if row.expires_at is None else fields.written(row.expires_at),
    )


def _entry_answer(call: Call, row: ManagedSenderRow) -> EntryAnswer:
    return EntryAnswer(
        id=call.seal(operations.KIND, row.id),
        sender=row.sender_shown,
        to=row.recipient,
        type=_type(row),
        reason=row.reason,
        set_by=row.set_by,
        set_at=fields.written(row.updated_at),
        created=fields.written(row.created_at),
        state=State.EXPIRED if row.is_over(call.work.now) else State.ACTIVE,
        expires=UNSET if row.expires_at is None else fields.written(row.expires_at),
    )


ENDPOINTS: Final = (
    permit_or_block_sender,
    get_managed_senders,
    remove_managed_sender,
)
