"""How does a web list become again what it was?"""

from __future__ import annotations

from typing import Final

from msgspec import structs

from mailreeve.access.permissions import Permission
from mailreeve.families.directory.groups import rows as groups
from mailreeve.families.directory.web_places import rows as web_places
from mailreeve.families.machinery.call import Call
from mailreeve.families.machinery.versions import RowVersions
from mailreeve.families.policies.family import RANK
from mailreeve.families.policies.web_lists import operations, rows
from mailreeve.families.policies.web_lists.rows import WebPolicyRow
from mailreeve.store.changes import Part
from mailreeve.store.transactions import Work
from mailreeve.wire.tokens import Kind


def _insert(work: Work, row: WebPolicyRow) -> None:
    rows.insert_again(work, row)
    _use(work, row)


def _replace(work: Work, old: WebPolicyRow, row: WebPolicyRow) -> None:
    new = rows.replace(work, old, row.description, row.targets, row.entries)
    if new.default_deny != row.default_deny:
        rows.set_default_deny(work, new, row.default_deny)
    _use(work, row)


def _remove(work: Work, row: WebPolicyRow) -> None:
    rows.remove(work, row.id)
    groups.use(work, row.id, ())
    web_places.use(work, row.id, ())


def _use(work: Work, row: WebPolicyRow) -> None:
    groups.use(work, row.id, row.group_keys())
    web_places.use(work, row.id, row.location_ids())


def _refuse(call: Call, old: WebPolicyRow | None, new: WebPolicyRow | None) -> None:
    if new is not None:
        operations.refuse_too_many(call, len(new.entries), new.id)


VERSIONS: Final = RowVersions(
    Kind.WEB_POLICY,
    WebPolicyRow,
    Permission.WEB_SECURITY_POLICIES_EDIT,
    Part.WEB_LISTS,
    RANK,
    find=rows.find,
    insert=_insert,
    replace=_replace,
    remove=_remove,
    refuse=_refuse,
    now=lambda work, row: structs.replace(row, updated_at=work.now),
)
