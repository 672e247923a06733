"""What can be done with blocked sender policies: validate, change, audit."""

from __future__ import annotations

from typing import Final

from mailreeve.families.blocked_senders import rows
from mailreeve.families.blocked_senders.errors import POLICY_IMMUTABLE
from mailreeve.families.blocked_senders.rows import BlockedSenderRow
from mailreeve.families.directory.groups import rows as groups
from mailreeve.families.machinery.call import Call
from mailreeve.families.policies.errors import POLICY_NOT_FOUND
from mailreeve.families.policies.reach_guard import guard_block
from mailreeve.families.policies.references import DirectoryReferences
from mailreeve.policy.model.policies import BlockedOption
from mailreeve.policy.model.policy_types import POLICY_TYPES, PolicyType
from mailreeve.policy.model.targets import TargetType
from mailreeve.store.transactions import Work
from mailreeve.wire import policy_object
from mailreeve.wire.errors import refused
from mailreeve.wire.policy_object import BLOCKED_SENDERS, PolicyDocument, PolicyItem
from mailreeve.wire.policy_target import TargetDocument

KIND: Final = POLICY_TYPES[PolicyType.BLOCKED_SENDERS].kind


def create(call: Call, option: BlockedOption, item: PolicyItem, confirmed: bool | None = None) -> BlockedSenderRow:
    """A new policy. Raises `ItemRefused`."""
    document = policy_object.document(item, BLOCKED_SENDERS, DirectoryReferences(call))
    _refuse_second_relay_guard(option, document)
    guard_block(call, option, document.scope(), document.description, confirmed)
    row = rows.add(call.work, option, document)
    groups.use(call.work, row.id, document.group_keys())
    call.work.changed(PolicyType.BLOCKED_SENDERS, "create", KIND, row.id, after=row)
    return row


def update(
    call: Call, wire_id: str, option: BlockedOption, item: PolicyItem, confirmed: bool | None = None
) -> BlockedSenderRow:
    """The policy with new contents, as `policy_object.document` has them (D-48). Raises `ItemRefused`."""
    old = _changeable(call, wire_id)
    document = policy_object.document(item, BLOCKED_SENDERS, DirectoryReferences(call), old=old.document)
    call.warnings.extend(policy_object.lost(item, old.document, document))
    _refuse_second_relay_guard(option, document)
    guard_block(call, option, document.scope(), document.description, confirmed)
    row = rows.replace(call.work, old, option, document)
    groups.use(call.work, row.id, document.group_keys())
    call.work.changed(PolicyType.BLOCKED_SENDERS, "update", KIND, row.id, before=old, after=row)
    return row


def delete(call: Call, wire_id: str) -> None:
    """Remove a policy. Raises `ItemRefused`."""
    old = _changeable(call, wire_id)
    rows.remove(call.work, old.id)
    groups.use(call.work, old.id, ())
    call.work.changed(PolicyType.BLOCKED_SENDERS, "delete", KIND, old.id, before=old)


def get(call: Call, wire_id: str) -> BlockedSenderRow:
    """One policy. Raises `ItemRefused`."""
    row = rows.find(call.work, call.open(KIND, wire_id))
    if row is None:
        raise refused(POLICY_NOT_FOUND, "id")
    return row


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
    for option, document, immutable in (
        (BlockedOption.BLOCK_SENDER, relay, True),
        (BlockedOption.NO_ACTION, exempt, False),
        (BlockedOption.BLOCK_SENDER, blocked, False),
    ):
        row = rows.add(work, option, document, immutable=immutable)
        groups.use(work, row.id, document.group_keys())
        work.changed(PolicyType.BLOCKED_SENDERS, "create", KIND, row.id, after=row)


def _changeable(call: Call, wire_id: str) -> BlockedSenderRow:
    row = get(call, wire_id)
    if row.immutable:
        raise refused(POLICY_IMMUTABLE, "id")
    return row


def _refuse_second_relay_guard(option: BlockedOption, document: PolicyDocument) -> None:
    # "No second one of that scope can be created" (behaviour.md section 3.2): two guards would leave it to a
    # tie-break which text an open relay attempt is answered with.
    external = TargetType.EXTERNAL_ADDRESSES
    plain = not document.source_ips and document.starts is None and document.ends is None
    if option is BlockedOption.BLOCK_SENDER and document.from_.type is document.to.type is external and plain:
        raise refused(
            POLICY_IMMUTABLE, "policy", "The account's own external-to-external policy covers this scope"
        )
