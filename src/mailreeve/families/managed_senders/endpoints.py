"""The managed sender endpoint (api.md section 3.1)."""

from __future__ import annotations

from typing import Final

from mailreeve.families.machinery.call import Call
from mailreeve.families.managed_senders import operations
from mailreeve.families.managed_senders.types import EntryType, ManagedSenderAnswer, PermitOrBlock
from mailreeve.policy.model.policies import ManagedAction
from mailreeve.policy.model.policy_types import POLICY_TYPES, PolicyType
from mailreeve.wire.endpoint import endpoint

MAX_ITEMS: Final = 100  # api.md section 3.1.1

_ROW: Final = POLICY_TYPES[PolicyType.MANAGED_SENDERS]
_TYPE: Final = {ManagedAction.PERMIT: EntryType.PERMIT, ManagedAction.BLOCK: EntryType.BLOCK}


@endpoint(
    f"{_ROW.api}/permit-or-block-sender",
    _ROW.edit,
    writes=True,
    most=MAX_ITEMS,
)
def permit_or_block_sender(call: Call, item: PermitOrBlock) -> ManagedSenderAnswer:
    """Permit or block a sender for one recipient."""
    row = operations.permit_or_block(call, item.sender, item.to, item.action)
    return ManagedSenderAnswer(call.seal(operations.KIND, row.id), item.sender, item.to, _TYPE[row.action])


ENDPOINTS: Final = (permit_or_block_sender,)
