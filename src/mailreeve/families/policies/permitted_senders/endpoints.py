"""The permitted sender endpoints. API 1.0 offers none, though its service has such policies (behaviour.md section
2.8): these are ours."""

from __future__ import annotations

from typing import Final

from msgspec import structs

from mailreeve.families.machinery.call import Call
from mailreeve.families.policies.family import PolicyRow, new_members
from mailreeve.families.policies.permitted_senders.rows import PERMITTED
from mailreeve.families.policies.permitted_senders.types import (
    CreatePermit,
    DeletedPermit,
    OnePermit,
    PermitAnswer,
    SomePermits,
    UpdatePermit,
)
from mailreeve.families.policies.reach_guard import warn_of_widening
from mailreeve.families.policies.references import DirectoryReferences
from mailreeve.policy.model.policy_types import POLICY_TYPES, PolicyType
from mailreeve.policy.model.wording import quoted
from mailreeve.wire.endpoint import endpoint
from mailreeve.wire.pagination import Page

_TYPE: Final = POLICY_TYPES[PolicyType.PERMITTED_SENDERS]


@endpoint(f"{_TYPE.api}/create-policy", _TYPE.edit, writes=True)
def create_permit(call: Call, item: CreatePermit) -> PermitAnswer:
    """Create a permitted sender policy."""
    row = PolicyRow(*new_members(call.work, PERMITTED.document(call, item.policy)))
    return _answer(call, PERMITTED.create(call.work, row))


@endpoint(f"{_TYPE.api}/update-policy", _TYPE.edit, writes=True)
def update_permit(call: Call, item: UpdatePermit) -> PermitAnswer:
    """Change a permitted sender policy."""
    old = PERMITTED.get(call, item.id)
    document = PERMITTED.document(call, item.policy, old.document)
    name = f"{quoted(document.description)} now permits"
    warn_of_widening(call, name, [old.document.scope()], [document.scope()])
    return _answer(call, PERMITTED.replace(call.work, old, structs.replace(old, document=document)))


@endpoint(f"{_TYPE.api}/get-policy", _TYPE.read, short="id")
def get_permit(call: Call, item: SomePermits) -> Page[PermitAnswer]:
    """Return one permitted sender policy, or all of them."""
    return PERMITTED.answers(call, item.id, _answer)


@endpoint(f"{_TYPE.api}/delete-policy", _TYPE.edit, writes=True)
def delete_permit(call: Call, item: OnePermit) -> DeletedPermit:
    """Delete a permitted sender policy."""
    PERMITTED.delete(call.work, PERMITTED.get(call, item.id))
    return DeletedPermit(item.id)


def _answer(call: Call, row: PolicyRow, references: DirectoryReferences | None = None) -> PermitAnswer:
    return PermitAnswer(PERMITTED.wire_id(call, row), PERMITTED.shown(call, row, references))


ENDPOINTS: Final = (create_permit, update_permit, get_permit, delete_permit)
