"""Personal lists follow their users, and entries the users whom they are about, see `AddressFollower`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from msgspec import structs

from mailreeve.access.permissions import Permission
from mailreeve.families.machinery.call import Call
from mailreeve.families.managed_senders import rows
from mailreeve.families.managed_senders.operations import KIND, join_lists, precedence
from mailreeve.formats.addresses import Address
from mailreeve.policy.model.policy_types import PolicyType


class PersonalLists:
    """The personal lists of an account."""

    reads: ClassVar[tuple[Permission, ...]] = (
        Permission.GATEWAY_MANAGED_SENDERS_EDIT,
        Permission.GATEWAY_POLICIES_READ,
    )

    def renamed(self, call: Call, old: str, new: Address) -> None:
        """The list is kept under the new address, together with what was kept for that (D-19); and what others
        permit and block of the old address they do of the new one."""
        work = call.work
        join_lists(call, old, new.key, "newAddress")
        for row in rows.about_sender(work, old):
            rival = rows.find(work, row.recipient, new.key)
            if rival is not None:
                gone = min((row, rival), key=partial(precedence, work.now))
                rows.remove(work, [gone.id])
                work.changed(PolicyType.MANAGED_SENDERS, "delete", KIND, gone.id, before=gone)
                if gone is row:
                    continue
            moved = structs.replace(row, sender=new.key, sender_shown=str(new))
            rows.replace(work, moved)
            work.changed(PolicyType.MANAGED_SENDERS, "update", KIND, row.id, before=row, after=moved)

    def removed(self, call: Call, user_id: str, keys: Sequence[str]) -> None:
        """The user's own list goes. What others say of the user as a sender is their wish about an address, and
        stays."""
        for key in keys:
            entries = rows.of_recipient(call.work, key)
            rows.remove(call.work, [row.id for row in entries])
            for row in entries:
                call.work.changed(PolicyType.MANAGED_SENDERS, "delete", KIND, row.id, before=row)

    def kept(self, call: Call, user_id: str, keys: Sequence[str]) -> Sequence[str]:
        """How long the user's list is."""
        number = sum(rows.count(call.work, key) for key in keys)
        return [f"{number} {'entry' if number == 1 else 'entries'} in the personal list"] if number else []

    def naming(self, call: Call, name: str) -> Sequence[str]:
        """Entries are not told of: they are their owners'."""
        return ()
