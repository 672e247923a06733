"""How do sets and definitions become again what they were?"""

from __future__ import annotations

from typing import Final

from mailreeve.access.permissions import Permission
from mailreeve.families.machinery.call import Call
from mailreeve.families.machinery.versions import RowVersions
from mailreeve.families.policies.address_alteration import rows
from mailreeve.families.policies.address_alteration.rows import DefinitionRow, SetRow
from mailreeve.policy.index.definitions import ROOT
from mailreeve.store.changes import Part
from mailreeve.store.transactions import Work
from mailreeve.wire.errors import RESTORE_CONFLICT, refused
from mailreeve.wire.tokens import Kind


def _replace(work: Work, old: DefinitionRow, row: DefinitionRow) -> None:
    rows.remove_definition(work, old.id)
    rows.add_definitions(work, [row])


def _refuse_without_set(call: Call, old: DefinitionRow | None, new: DefinitionRow | None) -> None:
    if new is not None and new.set_id != ROOT and rows.find_set(call.work, new.set_id) is None:
        raise refused(RESTORE_CONFLICT, None, f"{RESTORE_CONFLICT.message}: its set is gone")


def _refuse_with_definitions(call: Call, old: SetRow | None, new: SetRow | None) -> None:
    if new is None and old is not None and rows.definitions(call.work, set_id=old.id):
        raise refused(RESTORE_CONFLICT, None, f"{RESTORE_CONFLICT.message}: there are definitions in the set")


SETS: Final = RowVersions(
    Kind.ALTERATION_SET,
    SetRow,
    Permission.GATEWAY_POLICIES_EDIT,
    None,
    0,
    find=rows.find_set,
    insert=rows.insert_set,
    replace=lambda work, old, row: rows.change_set(work, row),
    remove=lambda work, row: rows.remove_set(work, row.id),
    refuse=_refuse_with_definitions,
)
DEFINITIONS: Final = RowVersions(
    Kind.ALTERATION_DEFINITION,
    DefinitionRow,
    Permission.GATEWAY_POLICIES_EDIT,
    Part.DEFINITIONS,
    4,
    find=rows.find_definition,
    insert=lambda work, row: rows.add_definitions(work, [row]),
    replace=_replace,
    remove=lambda work, row: rows.remove_definition(work, row.id),
    refuse=_refuse_without_set,
)
