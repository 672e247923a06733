"""Temporary web allows follow the users whom they are for, see `AddressFollower`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from msgspec import structs

from mailreeve.access.permissions import Permission
from mailreeve.families.machinery.call import Call
from mailreeve.families.policies.web_allows import rows
from mailreeve.families.policies.web_allows.operations import KIND
from mailreeve.formats.addresses import Address
from mailreeve.store.changes import Part


class WebAllows:
    """The temporary web allows of an account."""

    reads: ClassVar[tuple[Permission, ...]] = (Permission.WEB_SECURITY_POLICIES_READ,)

    def renamed(self, call: Call, old: str, new: Address) -> None:
        """What is allowed the old address is allowed the new one."""
        for row in rows.of(call.work, old):
            moved = structs.replace(row, address=new.key)
            rows.RECORDS.replace(call.work, moved)
            call.work.changed(Part.WEB_LISTS, "update", KIND, row.id, before=row, after=moved)

    def removed(self, call: Call, user_id: str, keys: Sequence[str]) -> None:
        """They go with the user."""
        for key in keys:
            for row in rows.of(call.work, key):
                rows.RECORDS.delete(call.work, row.id)
                call.work.changed(Part.WEB_LISTS, "delete", KIND, row.id, before=row)

    def kept(self, call: Call, user_id: str, keys: Sequence[str]) -> Sequence[str]:
        """How many there are."""
        number = sum(1 for key in keys for row in rows.of(call.work, key) if row.ends_at > call.work.now)
        return [f"{number} temporary web {'allow' if number == 1 else 'allows'}"] if number else []

    def naming(self, call: Call, name: str) -> Sequence[str]:
        """None: they go with the user whom they are for."""
        return ()
