"""Definitions of address alteration follow where they deliver to, and only there, see `AddressFollower`.

What a definition looks for is a spelling, not somebody (D-53): it goes on to rewrite the old address, which may be
what it was made for. Whoever renames a user is told of those.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from mailreeve.access.permissions import Permission
from mailreeve.families.machinery.call import HIDDEN, MOST_NAMING, Call
from mailreeve.families.policies.address_alteration import rows
from mailreeve.families.policies.address_alteration.operations import DEFINITION
from mailreeve.families.policies.address_alteration.patterns import folded
from mailreeve.families.policies.address_alteration.rows import DefinitionRow
from mailreeve.formats.addresses import Address, fold_local
from mailreeve.policy.model.policies import AddressPattern
from mailreeve.policy.model.wording import listed
from mailreeve.store.changes import Part


class AlterationDefinitions:
    """The definitions of an account."""

    reads: ClassVar[tuple[Permission, ...]] = (Permission.GATEWAY_POLICIES_READ,)

    def renamed(self, call: Call, old: str, new: Address) -> None:
        """Each definition that writes the old address writes the new one, unless it looks for that, or another one
        does the same."""
        work, given = call.work, _pattern(old)
        written = AddressPattern(new.local, new.domain)
        kept: list[DefinitionRow] = []
        for row in rows.involving(work, given):
            if row.rewrite.original == given:
                kept.append(row)  # It may leave the address out of a wider one, by mapping it to itself.
                continue
            if folded(row.rewrite.new) != given:
                continue
            changed = DefinitionRow(row.id, row.set_id, _delivering(row, written), row.original_shown, str(new))
            if row.rewrite.original == folded(written) or changed.rewrite in rows.held_rewrites(
                work, row.set_id, [changed.rewrite]
            ):
                kept.append(row)
                continue
            changed = rows.change_new(work, row, written, str(new))
            work.changed(Part.DEFINITIONS, "update", DEFINITION, row.id, before=row, after=changed)
        if kept:
            words = listed(_words(row) for row in kept) if call.caller.may(self.reads) else HIDDEN
            call.warnings.append(f"Definitions rewrite spellings, and these stay as they are: {words}")

    def removed(self, call: Call, user_id: str, keys: Sequence[str]) -> None:
        """Definitions are nobody's; those that name a user are `naming`."""

    def kept(self, call: Call, user_id: str, keys: Sequence[str]) -> Sequence[str]:
        """The definitions that name one of the addresses."""
        return [words for key in keys for words in self.naming(call, key)]

    def naming(self, call: Call, name: str) -> Sequence[str]:
        """Those that look for an address or write it, or any at a domain."""
        given = _pattern(name)
        found = [row for row in rows.involving(call.work, given) if not given.local or _involves(row, given)]
        return [f"the definition {_words(row)}" for row in found[:MOST_NAMING]]


def _pattern(name: str) -> AddressPattern:
    local, _, domain = name.rpartition("@")
    return AddressPattern(fold_local(local), domain)


def _involves(row: DefinitionRow, given: AddressPattern) -> bool:
    return given in (row.rewrite.original, folded(row.rewrite.new))


def _delivering(row: DefinitionRow, new: AddressPattern) -> rows.Rewrite:
    rewrite = row.rewrite
    return rows.Rewrite(rewrite.address_type, rewrite.routing, rewrite.original, new)


def _words(row: DefinitionRow) -> str:
    return f"{row.original_shown} -> {row.new_shown}"
