"""Web lists follow the users whom they are for, see `AddressFollower`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from msgspec import structs

from mailreeve.access.permissions import Permission
from mailreeve.families.machinery.call import MOST_NAMING, Call
from mailreeve.families.policies.web_lists import rows
from mailreeve.families.policies.web_lists.operations import KIND
from mailreeve.formats.addresses import Address
from mailreeve.policy.model.wording import quoted
from mailreeve.store.changes import Part


class WebLists:
    """The web lists of an account."""

    reads: ClassVar[tuple[Permission, ...]] = (Permission.WEB_SECURITY_POLICIES_READ,)

    def renamed(self, call: Call, old: str, new: Address) -> None:
        """Each list that is for the old address is for the new one."""
        work = call.work
        for row in rows.naming(work, old):
            targets = [
                structs.replace(target, document=target.document.renamed(old, new), updated_at=work.now)
                if target.document.names(old)
                else target
                for target in row.targets
            ]
            changed = rows.replace(work, row, row.description, targets, row.entries)
            work.changed(Part.WEB_LISTS, "update", KIND, row.id, before=row, after=changed)

    def removed(self, call: Call, user_id: str, keys: Sequence[str]) -> None:
        """Lists are nobody's; those that name a user are `naming`."""

    def kept(self, call: Call, user_id: str, keys: Sequence[str]) -> Sequence[str]:
        """The lists that name one of the addresses."""
        return [words for key in keys for words in self.naming(call, key)]

    def naming(self, call: Call, name: str) -> Sequence[str]:
        """Those that are for an address or a domain."""
        return [f"the web list {quoted(row.description)}" for row in rows.naming(call.work, name)[:MOST_NAMING]]
