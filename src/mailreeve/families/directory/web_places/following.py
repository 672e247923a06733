"""Web clients follow the users whose addresses they are, see `AddressFollower`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from mailreeve.access.permissions import Permission
from mailreeve.families.directory.users import rows as users
from mailreeve.families.directory.web_places import operations, rows
from mailreeve.families.machinery.call import MOST_NAMING, Call
from mailreeve.formats.addresses import Address
from mailreeve.store.changes import Name, Part


class WebClients:
    """The web clients of an account."""

    reads: ClassVar[tuple[Permission, ...]] = (Permission.WEB_SECURITY_POLICIES_READ,)

    def renamed(self, call: Call, old: str, new: Address) -> None:
        """Clients are the user's whatever the user's address; decisions know it by the address."""
        owner = users.find_by_address(call.work, new.key)
        held = [] if owner is None else rows.clients_of(call.work, owner.id)
        call.work.touch(Part.WEB_PLACES, *(Name(operations.CLIENT, row.id) for row in held))

    def removed(self, call: Call, user_id: str, keys: Sequence[str]) -> None:
        """The user's clients are nobody's any more."""
        for row in rows.clients_of(call.work, user_id):
            operations.forget(call, row)

    def kept(self, call: Call, user_id: str, keys: Sequence[str]) -> Sequence[str]:
        """The user's clients."""
        return [f"the web client {row.network}" for row in rows.clients_of(call.work, user_id)[:MOST_NAMING]]

    def naming(self, call: Call, name: str) -> Sequence[str]:
        """Clients name users, who go with theirs."""
        return ()
