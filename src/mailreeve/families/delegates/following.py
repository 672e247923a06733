"""Delegate rights are between users and need not follow an address; they go with either user, see
`AddressFollower`."""

from __future__ import annotations

from collections.abc import Sequence

from mailreeve.families.delegates import rows
from mailreeve.families.delegates.operations import KIND
from mailreeve.families.machinery.call import Call
from mailreeve.formats.addresses import Address


class DelegateRights:
    """The delegate rights of an account."""

    def renamed(self, call: Call, old: str, new: Address) -> None:
        """A right names users by their ids (D-32)."""

    def removed(self, call: Call, user_id: str, keys: Sequence[str]) -> None:
        """The rights that the user holds, and those to the user's mailbox, end."""
        for row in rows.of_user(call.work, user_id):
            rows.remove(call.work, row.id)
            call.work.changed(None, "delete", KIND, row.id, before=row)

    def naming(self, call: Call, name: str) -> Sequence[str]:
        """None stays when a user goes."""
        return ()
