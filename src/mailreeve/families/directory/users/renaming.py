"""How does a user get another address? In one transaction, with all that is kept for the old one.

Whatever was decided for the old address is decided for the new one afterwards, and for the old one as its alias.
What is about a spelling, not about somebody, stays: addresses with a tag, and what address alteration looks for.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

import msgspec
from msgspec import Struct

from mailreeve.families.directory.account import rows as accounts
from mailreeve.families.directory.domains import rows as domains
from mailreeve.families.directory.domains.errors import not_managed
from mailreeve.families.directory.users import operations, rights, rows
from mailreeve.families.directory.users.errors import USER_EXISTS
from mailreeve.families.directory.users.rows import UserRow
from mailreeve.families.machinery.call import Call
from mailreeve.store.changes import Name, Part
from mailreeve.store.transactions import AuditEntry
from mailreeve.wire import fields
from mailreeve.wire.errors import refused
from mailreeve.wire.tokens import Kind

FIELD: Final = "newAddress"


class Renamed(Struct, frozen=True):
    """A user before and after, and what followed, in words."""

    old: UserRow
    new: UserRow
    followed: list[str]


def rename(call: Call, text: str, new_text: str, keep_alias: bool) -> Renamed:
    """Give a user another primary address, in any domain of the account. Raises `ItemRefused`.

    It may be an alias of the user, which it ceases to be. An address that differs in case alone is only written
    otherwise.
    """
    work = call.work
    old = operations.get(work, text, "emailAddress")
    rights.refuse_above(call, old, "emailAddress")
    address = fields.address(new_text, FIELD)
    if domains.find(work, address.domain) is None:
        raise not_managed(address.domain, FIELD)
    holder = rows.find_by_address(work, address.key)
    if holder is not None and holder.id != old.id:
        raise refused(USER_EXISTS, FIELD, f"{USER_EXISTS.message}: it is {holder.address}'s")
    operations.refuse_reaching_above(call, new_text, FIELD)
    if address.key == old.key:
        new = msgspec.structs.replace(old, address=new_text)
        if new != old:
            rows.change_shown(work, new)
            _note(call, old, new)
        return Renamed(old, new, [])
    new = rows.rename(work, old, address, new_text, keep_alias=keep_alias)
    _note(call, old, new)
    before = len(work.audits)
    if accounts.follow_administrator(work, old.key, new_text):
        work.changed(Part.CREDENTIALS, "update", Kind.ACCOUNT, work.account_id, after={"admin_email": new_text})
    for follower in call.followers:
        follower.renamed(call, old.key, address)
    return Renamed(old, new, counted(work.audits[before:]))


def counted(entries: list[AuditEntry]) -> list[str]:
    """What was changed, as `3 managed sender (update)`: a line for each kind of object and change."""
    counts = Counter((entry.object_kind, entry.action) for entry in entries)
    return [f"{number} {kind} ({action})" for (kind, action), number in sorted(counts.items())]


def _note(call: Call, old: UserRow, new: UserRow) -> None:
    names = [Name(Kind.USER, new.id), Name(operations.ADDRESS, old.key), Name(operations.ADDRESS, new.key)]
    call.work.changed(Part.DIRECTORY, "rename", Kind.USER, new.id, before=old, after=new, names=names)
    # Callers are known by their address.
    call.work.touch(Part.CREDENTIALS, Name(Kind.USER, new.id))
