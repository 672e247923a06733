"""What can be done with blocked sender policies besides reading them: what is refused, and what an account starts
with."""

from __future__ import annotations

from msgspec import structs

from mailreeve.families.machinery.call import Call
from mailreeve.families.policies.blocked_senders.errors import POLICY_IMMUTABLE
from mailreeve.families.policies.blocked_senders.rows import BLOCKED, BlockedSenderRow
from mailreeve.families.policies.family import new_members
from mailreeve.families.policies.reach_guard import guard_block
from mailreeve.policy.model.policies import BlockedOption
from mailreeve.policy.model.targets import TargetType
from mailreeve.store.transactions import Work
from mailreeve.wire.errors import refused
from mailreeve.wire.policy_object import PolicyDocument, PolicyItem
from mailreeve.wire.policy_target import TargetDocument


def create(call: Call, option: BlockedOption, item: PolicyItem, confirmed: bool | None = None) -> BlockedSenderRow:
    """A new policy. Raises `ItemRefused`."""
    document = BLOCKED.document(call, item)
    _check(call, option, document, confirmed)
    return _create(call.work, option, document)


def update(
    call: Call, wire_id: str, option: BlockedOption, item: PolicyItem, confirmed: bool | None = None
) -> BlockedSenderRow:
    """The policy with new contents, as `policy_object.document` has them (D-48). Raises `ItemRefused`."""
    old = _changeable(call, wire_id)
    document = BLOCKED.document(call, item, old.document)
    _check(call, option, document, confirmed)
    return BLOCKED.replace(call.work, old, structs.replace(old, option=option, document=document))


def delete(call: Call, wire_id: str) -> None:
    """Remove a policy. Raises `ItemRefused`."""
    BLOCKED.delete(call.work, _changeable(call, wire_id))


def create_defaults(work: Work, blocked_group: str, exempt_group: str) -> None:
    """The three policies that every account starts with (D-14; behaviour.md section 3.2)."""
    external = TargetDocument(TargetType.EXTERNAL_ADDRESSES)
    internal = TargetDocument(TargetType.INTERNAL_ADDRESSES)
    everyone = TargetDocument(TargetType.EVERYONE)
    relay = PolicyDocument("Default: no open relay", external, external)
    exempt = PolicyDocument(
        "Default: relay exemptions", TargetDocument(TargetType.PROFILE_GROUP, exempt_group), everyone
    )
    blocked = PolicyDocument(
        "Default: blocked senders", TargetDocument(TargetType.PROFILE_GROUP, blocked_group), internal
    )
    _create(work, BlockedOption.BLOCK_SENDER, relay, immutable=True)
    _create(work, BlockedOption.NO_ACTION, exempt)
    _create(work, BlockedOption.BLOCK_SENDER, blocked)


def _create(
    work: Work, option: BlockedOption, document: PolicyDocument, *, immutable: bool = False
) -> BlockedSenderRow:
    return BLOCKED.create(work, BlockedSenderRow(*new_members(work, document), option, immutable))


def _changeable(call: Call, wire_id: str) -> BlockedSenderRow:
    row = BLOCKED.get(call, wire_id)
    if row.immutable:
        raise refused(POLICY_IMMUTABLE, "id")
    return row


def _check(call: Call, option: BlockedOption, document: PolicyDocument, confirmed: bool | None) -> None:
    _refuse_second_relay_guard(option, document)
    guard_block(call, option, document.scope(), document.description, confirmed)


def _refuse_second_relay_guard(option: BlockedOption, document: PolicyDocument) -> None:
    # "No second one of that scope can be created" (behaviour.md section 3.2): two guards would leave it to a
    # tie-break which text an open relay attempt is answered with.
    external = TargetType.EXTERNAL_ADDRESSES
    plain = not document.source_ips and document.starts is None and document.ends is None
    if option is BlockedOption.BLOCK_SENDER and document.from_.type is document.to.type is external and plain:
        raise refused(
            POLICY_IMMUTABLE, "policy", "The account's own external-to-external policy covers this scope"
        )
