"""What can be done with permitted sender policies: so far, the one that an account starts with.

API 1.0 has no endpoint for them (behaviour.md section 2.8), so an administrator permits a sender for everybody by
adding it to the account's group.
"""

from __future__ import annotations

from typing import Final

from mailreeve.families.directory.groups import rows as groups
from mailreeve.families.permitted_senders import rows
from mailreeve.policy.model.policy_types import POLICY_TYPES, PolicyType
from mailreeve.policy.model.targets import TargetType
from mailreeve.store.transactions import Work
from mailreeve.wire.policy_object import PolicyDocument
from mailreeve.wire.policy_target import TargetDocument

KIND: Final = POLICY_TYPES[PolicyType.PERMITTED_SENDERS].kind


def create_default(work: Work, permitted_group: str) -> None:
    """The policy that gives the account's group of permitted senders its meaning (D-14)."""
    document = PolicyDocument(
        "Default: permitted senders",
        TargetDocument(TargetType.PROFILE_GROUP, permitted_group),
        TargetDocument(TargetType.INTERNAL_ADDRESSES),
    )
    row = rows.add(work, document)
    groups.use(work, row.id, document.group_keys())
    work.changed(PolicyType.PERMITTED_SENDERS, "create", KIND, row.id, after=row)
