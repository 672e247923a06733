"""The anti-spoofing bypass endpoints (api.md section 3.4.4)."""

from __future__ import annotations

from typing import Final

from msgspec import structs

from mailreeve.families.machinery.call import Call
from mailreeve.families.policies.anti_spoofing_bypass.rows import BYPASS, BypassRow
from mailreeve.families.policies.anti_spoofing_bypass.types import (
    BypassAnswer,
    CreateBypass,
    DeletedBypass,
    OneBypass,
    SomeBypasses,
    UpdateBypass,
)
from mailreeve.families.policies.family import new_members
from mailreeve.families.policies.references import DirectoryReferences
from mailreeve.policy.model.policy_types import POLICY_TYPES, PolicyType
from mailreeve.wire import fields
from mailreeve.wire.endpoint import endpoint
from mailreeve.wire.errors import NOT_ALLOWED, refused
from mailreeve.wire.pagination import Page
from mailreeve.wire.policy_object import PolicyDocument

_TYPE: Final = POLICY_TYPES[PolicyType.ANTI_SPOOFING_BYPASS]


@endpoint(f"{_TYPE.api}/create-policy", _TYPE.edit, writes=True)
def create_bypass(call: Call, item: CreateBypass) -> BypassAnswer:
    """Create an anti-spoofing bypass policy."""
    document = _checked(BYPASS.document(call, item.policy))
    return _answer(call, BYPASS.create(call.work, BypassRow(*new_members(call.work, document), item.option)))


@endpoint(f"{_TYPE.api}/update-policy", _TYPE.edit, writes=True)
def update_bypass(call: Call, item: UpdateBypass) -> BypassAnswer:
    """Change an anti-spoofing bypass policy."""
    old = BYPASS.get(call, item.id)
    document = _checked(BYPASS.document(call, item.policy, old.document))
    new = structs.replace(old, document=document, option=item.option or old.option)
    return _answer(call, BYPASS.replace(call.work, old, new))


@endpoint(f"{_TYPE.api}/get-policy", _TYPE.read, short="id")
def get_bypass(call: Call, item: SomeBypasses) -> Page[BypassAnswer]:
    """Return one anti-spoofing bypass policy, or all of them."""
    return BYPASS.answers(call, item.id, _answer)


@endpoint(f"{_TYPE.api}/delete-policy", _TYPE.edit, writes=True)
def delete_bypass(call: Call, item: OneBypass) -> DeletedBypass:
    """Delete an anti-spoofing bypass policy."""
    BYPASS.delete(call.work, BYPASS.get(call, item.id))
    return DeletedBypass(item.id)


def _checked(document: PolicyDocument) -> PolicyDocument:
    """The document, where each of its conditions means something. One that is kept and not asked would have the
    policy hold where its writer thinks it does not."""
    if document.hostnames:
        message = "hostnames is no condition here: nobody vouches for them; use sourceIPs or spfDomains"
        raise refused(NOT_ALLOWED, "policy.conditions.hostnames", message)
    for n, text in enumerate(document.spf_domains):
        fields.domain(text, f"policy.conditions.spfDomains[{n}]")
    return document


def _answer(call: Call, row: BypassRow, references: DirectoryReferences | None = None) -> BypassAnswer:
    return BypassAnswer(row.option, BYPASS.wire_id(call, row), BYPASS.shown(call, row, references))


ENDPOINTS: Final = (create_bypass, update_bypass, get_bypass, delete_bypass)
