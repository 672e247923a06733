"""What does the archive do when an address becomes somebody's, or a user gets another one?

Mail that came while an address was nobody's is found under the address alone. Whoever gets the address gets that
mail: it is put into the mailbox of the user, where it stays whatever becomes of the address.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from mailreeve.access.permissions import Permission
from mailreeve.families.archive import rows
from mailreeve.families.directory.users import rows as users
from mailreeve.families.machinery.call import Call
from mailreeve.formats.addresses import Address


def join_mailbox(call: Call, address: str, owner: str, field: str) -> None:
    """An address that was nobody's is now an alias of the user with the primary address `owner`."""
    user = users.find_by_address(call.work, owner)
    if user is not None:
        rows.claim(call.work, address, user.id, direct=False)


class ArchivedMail:
    """The archived mail of users, which follows them."""

    reads: ClassVar[tuple[Permission, ...]] = (Permission.ARCHIVE_SEARCH_READ,)

    def renamed(self, call: Call, old: str, new: Address) -> None:
        """What came to either address while it was nobody's is the user's, whose primary address changes."""
        user = users.find_by_address(call.work, new.key) or users.find_by_address(call.work, old)
        if user is not None:
            for key in (old, new.key):
                rows.claim(call.work, key, user.id, direct=True)

    def removed(self, call: Call, user_id: str, keys: Sequence[str]) -> None:
        """The archive stays, and is found by address."""

    def kept(self, call: Call, user_id: str, keys: Sequence[str]) -> Sequence[str]:
        """Nothing goes with a user."""
        return ()

    def naming(self, call: Call, name: str) -> Sequence[str]:
        """What came stays, whoever has the address."""
        return ()
