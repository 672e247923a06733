"""The blocked sender endpoints (api.md section 3.2)."""

from __future__ import annotations

from typing import Final

from mailreeve.families.machinery.call import Call
from mailreeve.families.policies.blocked_senders import operations
from mailreeve.families.policies.blocked_senders.rows import BLOCKED, BlockedSenderRow
from mailreeve.families.policies.blocked_senders.types import (
    BlockedSenderAnswer,
    DeletedPolicy,
    OnePolicy,
    SomePolicies,
    UpdatePolicy,
    WritePolicy,
)
from mailreeve.families.policies.references import DirectoryReferences
from mailreeve.policy.model.policy_types import POLICY_TYPES, PolicyType
from mailreeve.wire.endpoint import endpoint
from mailreeve.wire.pagination import Page

_TYPE: Final = POLICY_TYPES[PolicyType.BLOCKED_SENDERS]


@endpoint(f"{_TYPE.api}/create-policy", _TYPE.edit, writes=True)
def create_policy(call: Call, item: WritePolicy) -> BlockedSenderAnswer:
    """Create a blocked sender policy, or change the one whose id is given."""
    if item.id is not None:
        return _answer(call, operations.update(call, item.id, item.option, item.policy, item.confirm_reach))
    return _answer(call, operations.create(call, item.option, item.policy, item.confirm_reach))


@endpoint(f"{_TYPE.api}/update-policy", _TYPE.edit, writes=True)
def update_policy(call: Call, item: UpdatePolicy) -> BlockedSenderAnswer:
    """Change a blocked sender policy."""
    return _answer(call, operations.update(call, item.id, item.option, item.policy, item.confirm_reach))


@endpoint(f"{_TYPE.api}/get-policy", _TYPE.read, short="id")
def get_policy(call: Call, item: SomePolicies) -> Page[BlockedSenderAnswer]:
    """Return one blocked sender policy, or all of them."""
    return BLOCKED.answers(call, item.id, _answer)


@endpoint(f"{_TYPE.api}/delete-policy", _TYPE.edit, writes=True)
def delete_policy(call: Call, item: OnePolicy) -> DeletedPolicy:
    """Delete a blocked sender policy."""
    operations.delete(call, item.id)
    return DeletedPolicy(item.id)


def _answer(
    call: Call, row: BlockedSenderRow, references: DirectoryReferences | None = None
) -> BlockedSenderAnswer:
    return BlockedSenderAnswer(row.option, BLOCKED.wire_id(call, row), BLOCKED.shown(call, row, references))


ENDPOINTS: Final = (create_policy, update_policy, get_policy, delete_policy)
