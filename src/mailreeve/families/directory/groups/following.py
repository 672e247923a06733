"""Memberships of groups follow their users and go with them, see `AddressFollower`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from msgspec import structs

from mailreeve.access.permissions import Permission
from mailreeve.families.directory.groups import rows
from mailreeve.families.directory.groups.operations import member_name
from mailreeve.families.machinery.call import MOST_NAMING, Call
from mailreeve.formats.addresses import Address
from mailreeve.policy.model.wording import quoted
from mailreeve.store.changes import Part
from mailreeve.wire.tokens import Kind


class GroupMemberships:
    """The memberships of an account's groups."""

    reads: ClassVar[tuple[Permission, ...]] = (
        Permission.DIRECTORIES_GROUPS_READ,
        Permission.SERVICES_DIRECTORY_SYNC_READ,
    )

    def renamed(self, call: Call, old: str, new: Address) -> None:
        """The new address is in the groups that the old one was in, as long as it was. Where both are members the
        one whose membership ends later stays."""
        work = call.work
        names = [member_name(old), member_name(new.key)]
        for row in rows.memberships_of(work, old):
            rival = rows.find_member(work, row.group_id, new.key)
            if rival is not None:
                gone = row if rows.ends_later(rival, row) else rival
                rows.remove_member(work, gone.id)
                work.changed(Part.DIRECTORY, "delete", Kind.GROUP_MEMBER, gone.id, before=gone, names=names)
                if gone is row:
                    continue
            moved = structs.replace(row, matched=new.key, shown=str(new))
            rows.change_member(work, moved)
            work.changed(Part.DIRECTORY, "update", Kind.GROUP_MEMBER, row.id, before=row, after=moved, names=names)

    def removed(self, call: Call, user_id: str, keys: Sequence[str]) -> None:
        """The memberships of the user, under whichever address, end."""
        for key in keys:
            for row in rows.memberships_of(call.work, key):
                rows.remove_member(call.work, row.id)
                names = [member_name(key)]
                call.work.changed(Part.DIRECTORY, "delete", Kind.GROUP_MEMBER, row.id, before=row, names=names)

    def kept(self, call: Call, user_id: str, keys: Sequence[str]) -> Sequence[str]:
        """Groups are told of by themselves."""
        return ()

    def naming(self, call: Call, name: str) -> Sequence[str]:
        """The groups that a domain is a member of. Addresses are none: memberships of a user go."""
        if "@" in name:
            return ()
        held = [row.group_id for row in rows.memberships_of(call.work, name)[:MOST_NAMING]]
        return [f"the group {quoted(group.name)}" for group in rows.some_groups(call.work, held)]
