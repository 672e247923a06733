"""The blocked sender endpoints (api.md section 3.2)."""

from __future__ import annotations

from typing import Final

from mailreeve.access.permissions import Permission
from mailreeve.families.blocked_senders import operations, rows
from mailreeve.families.blocked_senders.rows import BlockedSenderRow
from mailreeve.families.blocked_senders.types import (
    BlockedSenderAnswer,
    DeletedPolicy,
    OnePolicy,
    SomePolicies,
    UpdatePolicy,
    WritePolicy,
)
from mailreeve.families.machinery.call import Call
from mailreeve.families.policies.references import DirectoryReferences
from mailreeve.wire import policy_object
from mailreeve.wire.endpoint import endpoint
from mailreeve.wire.pagination import Page
from mailreeve.wire.policy_object import BLOCKED_SENDERS


@endpoint("policy/blockedsenders/create-policy", Permission.GATEWAY_POLICIES_EDIT, writes=True)
def create_policy(call: Call, item: WritePolicy) -> BlockedSenderAnswer:
    """Create a blocked sender policy, or change the one whose id is given."""
    if item.id is not None:
        return _answer(call, operations.update(call, item.id, item.option, item.policy, item.confirm_reach))
    return _answer(call, operations.create(call, item.option, item.policy, item.confirm_reach))


@endpoint("policy/blockedsenders/update-policy", Permission.GATEWAY_POLICIES_EDIT, writes=True)
def update_policy(call: Call, item: UpdatePolicy) -> BlockedSenderAnswer:
    """Change a blocked sender policy."""
    return _answer(call, operations.update(call, item.id, item.option, item.policy, item.confirm_reach))


@endpoint("policy/blockedsenders/get-policy", Permission.GATEWAY_POLICIES_READ, short="id")
def get_policy(call: Call, item: SomePolicies) -> Page[BlockedSenderAnswer]:
    """Return one blocked sender policy, or all of them."""
    if item.id is not None:
        return Page.of_all([_answer(call, operations.get(call, item.id))])
    page = rows.page(call.work, call.page)
    references = DirectoryReferences(call)
    return page.showing([_answer(call, row, references) for row in page.rows])


@endpoint("policy/blockedsenders/delete-policy", Permission.GATEWAY_POLICIES_EDIT, writes=True)
def delete_policy(call: Call, item: OnePolicy) -> DeletedPolicy:
    """Delete a blocked sender policy."""
    operations.delete(call, item.id)
    return DeletedPolicy(item.id)


def _answer(
    call: Call, row: BlockedSenderRow, references: DirectoryReferences | None = None
) -> BlockedSenderAnswer:
    references = references or DirectoryReferences(call)
    shown = policy_object.answer(row.document, BLOCKED_SENDERS, references, row.created_at, row.updated_at)
    return BlockedSenderAnswer(row.option, call.seal(operations.KIND, row.id), shown)


ENDPOINTS: Final = (create_policy, update_policy, get_policy, delete_policy)
