"""A mark goes with its user, see `AddressFollower`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from mailreeve.access.permissions import Permission
from mailreeve.families.directory.purging import rows
from mailreeve.families.machinery.call import Call
from mailreeve.formats.addresses import Address
from mailreeve.wire import fields


class PurgeMarks:
    """The users who are marked for removal."""

    reads: ClassVar[tuple[Permission, ...]] = (Permission.DIRECTORIES_INTERNAL_READ,)

    def renamed(self, call: Call, old: str, new: Address) -> None:
        """A mark is kept for the user, whatever the address."""

    def removed(self, call: Call, user_id: str, keys: Sequence[str]) -> None:
        """Whoever is gone is not to go any more."""
        rows.RECORDS.delete(call.work, user_id)

    def kept(self, call: Call, user_id: str, keys: Sequence[str]) -> Sequence[str]:
        """That the user is to go, and when."""
        row = rows.RECORDS.find(call.work, user_id)
        return () if row is None else (f"a mark for removal on {fields.written(row.due_at)}",)

    def naming(self, call: Call, name: str) -> Sequence[str]:
        """A mark names nobody else."""
        return ()
