"""The anti-spoofing endpoints. API 1.0 offers none, though its service has such policies: these are ours."""

from __future__ import annotations

from typing import Final

from msgspec import structs

from mailreeve.families.machinery.call import Call
from mailreeve.families.policies.anti_spoofing.rows import SPOOFING, AntiSpoofingRow
from mailreeve.families.policies.anti_spoofing.types import (
    AntiSpoofingAnswer,
    CreateAntiSpoofing,
    DeletedAntiSpoofing,
    OneAntiSpoofing,
    SomeAntiSpoofing,
    UpdateAntiSpoofing,
)
from mailreeve.families.policies.family import new_members
from mailreeve.families.policies.references import DirectoryReferences
from mailreeve.policy.model.policy_types import POLICY_TYPES, PolicyType
from mailreeve.wire.endpoint import endpoint
from mailreeve.wire.errors import NOT_ALLOWED, refused
from mailreeve.wire.pagination import Page
from mailreeve.wire.policy_object import PolicyDocument

_TYPE: Final = POLICY_TYPES[PolicyType.ANTI_SPOOFING]


@endpoint(f"{_TYPE.api}/create-policy", _TYPE.edit, writes=True)
def create_anti_spoofing(call: Call, item: CreateAntiSpoofing) -> AntiSpoofingAnswer:
    """Create an anti-spoofing policy."""
    document = _checked(SPOOFING.document(call, item.policy))
    return _answer(
        call, SPOOFING.create(call.work, AntiSpoofingRow(*new_members(call.work, document), item.option))
    )


@endpoint(f"{_TYPE.api}/update-policy", _TYPE.edit, writes=True)
def update_anti_spoofing(call: Call, item: UpdateAntiSpoofing) -> AntiSpoofingAnswer:
    """Change an anti-spoofing policy."""
    old = SPOOFING.get(call, item.id)
    document = _checked(SPOOFING.document(call, item.policy, old.document))
    new = structs.replace(old, document=document, option=item.option or old.option)
    return _answer(call, SPOOFING.replace(call.work, old, new))


@endpoint(f"{_TYPE.api}/get-policy", _TYPE.read, short="id")
def get_anti_spoofing(call: Call, item: SomeAntiSpoofing) -> Page[AntiSpoofingAnswer]:
    """Return one anti-spoofing policy, or all of them."""
    return SPOOFING.answers(call, item.id, _answer)


@endpoint(f"{_TYPE.api}/delete-policy", _TYPE.edit, writes=True)
def delete_anti_spoofing(call: Call, item: OneAntiSpoofing) -> DeletedAntiSpoofing:
    """Delete an anti-spoofing policy."""
    SPOOFING.delete(call.work, SPOOFING.get(call, item.id))
    return DeletedAntiSpoofing(item.id)


def _checked(document: PolicyDocument) -> PolicyDocument:
    """The document, where each of its conditions means something. One that is kept and not asked would have the
    policy hold where its writer thinks it does not."""
    for name, values in (("hostnames", document.hostnames), ("spfDomains", document.spf_domains)):
        if values:
            message = f"{name} is no condition of an anti-spoofing policy; a bypass policy has spfDomains"
            raise refused(NOT_ALLOWED, f"policy.conditions.{name}", message)
    return document


def _answer(call: Call, row: AntiSpoofingRow, references: DirectoryReferences | None = None) -> AntiSpoofingAnswer:
    return AntiSpoofingAnswer(row.option, SPOOFING.wire_id(call, row), SPOOFING.shown(call, row, references))


ENDPOINTS: Final = (create_anti_spoofing, update_anti_spoofing, get_anti_spoofing, delete_anti_spoofing)
