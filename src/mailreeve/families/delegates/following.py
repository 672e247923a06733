"""Delegate rights are between users and need not follow an address; they go with either user, see
`AddressFollower`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from mailreeve.access.permissions import Permission
from mailreeve.families.delegates import rows
from mailreeve.families.delegates.operations import KIND
from mailreeve.families.directory.users.mailboxes import ended
from mailreeve.families.machinery.call import MOST_NAMING, Call
from mailreeve.formats.addresses import Address


class DelegateRights:
    """The delegate rights of an account."""

    reads: ClassVar[tuple[Permission, ...]] = (Permission.DIRECTORIES_INTERNAL_CREATE_ALTERNATE_ADDRESS,)

    def renamed(self, call: Call, old: str, new: Address) -> None:
        """A right names users by their ids (D-32)."""

    def removed(self, call: Call, user_id: str, keys: Sequence[str]) -> None:
        """The rights that the user holds, and those to the user's mailbox, end."""
        for row in rows.of_user(call.work, user_id):
            rows.remove(call.work, row.id)
            call.work.changed(None, "delete", KIND, row.id, before=row)

    def kept(self, call: Call, user_id: str, keys: Sequence[str]) -> Sequence[str]:
        """The rights of the user, and those to the user's mailbox: the first `MOST_NAMING`."""
        return [
            f"opens the mailbox of {row.mailbox}"
            if row.holder_id == user_id
            else f"{row.holder} opens the mailbox"
            for row in rows.of_user(call.work, user_id)[:MOST_NAMING]
            if not ended(row.expires_at, call.work.now)
        ]

    def naming(self, call: Call, name: str) -> Sequence[str]:
        """None stays when a user goes."""
        return ()
