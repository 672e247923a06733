"""How does an entry of a personal list become again what it was?"""

from __future__ import annotations

from typing import Final

from msgspec import structs

from mailreeve.families.machinery.versions import RowVersions
from mailreeve.families.managed_senders import rows
from mailreeve.families.managed_senders.rows import ManagedSenderRow
from mailreeve.policy.model.policy_types import POLICY_TYPES, PolicyType

_ROW: Final = POLICY_TYPES[PolicyType.MANAGED_SENDERS]

VERSIONS: Final = RowVersions(
    _ROW.kind,
    ManagedSenderRow,
    _ROW.edit,
    PolicyType.MANAGED_SENDERS,
    4,
    find=rows.get,
    insert=rows.RECORDS.insert,
    replace=lambda work, old, row: rows.replace(work, row),
    remove=lambda work, row: rows.remove(work, [row.id]),
    now=lambda work, row: structs.replace(row, updated_at=work.now, changed_in=work.revision + 1),
)
