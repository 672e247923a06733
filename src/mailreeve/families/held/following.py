"""What is held for a user is the user's by id and need not follow an address; when the user goes, it is the
administrators' (behaviour.md D-45), see `AddressFollower`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from mailreeve.access.permissions import Permission
from mailreeve.families.held import rows
from mailreeve.families.machinery.call import Call
from mailreeve.formats.addresses import Address


class HeldMail:
    """The held mail of an account."""

    reads: ClassVar[tuple[Permission, ...]] = (
        Permission.ACCOUNT_DASHBOARD_READ,
        Permission.ACCOUNT_MONITORING_HELD_EDIT,
    )

    def renamed(self, call: Call, old: str, new: Address) -> None:
        """It stays whose it was."""

    def removed(self, call: Call, user_id: str, keys: Sequence[str]) -> None:
        """It goes to the administrators: nobody else may see it."""
        rows.disown(call.work, user_id)

    def kept(self, call: Call, user_id: str, keys: Sequence[str]) -> Sequence[str]:
        """How many messages are held for the user."""
        number = len(rows.of_owner(call.work, user_id))
        return [f"{number} held {'message' if number == 1 else 'messages'}"] if number else []

    def naming(self, call: Call, name: str) -> Sequence[str]:
        """Nothing that stays names an address."""
        return ()
