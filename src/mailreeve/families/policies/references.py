"""Do the groups and attributes that a policy names exist, and how are they called on the wire?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mailreeve.families.directory.domains import rows as domains
from mailreeve.families.directory.groups import rows as groups
from mailreeve.families.directory.groups.errors import GROUP_NOT_FOUND
from mailreeve.families.directory.groups.rows import GroupRow
from mailreeve.families.directory.users import attributes
from mailreeve.families.directory.users.errors import ATTRIBUTE_NOT_FOUND
from mailreeve.families.machinery.call import Call
from mailreeve.formats.addresses import Domain
from mailreeve.wire.errors import refused
from mailreeve.wire.policy_target import GroupObject
from mailreeve.wire.tokens import Kind

MOST_BELOW: Final = 500  # Ours: a group may have 50,000 below it, and each policy that names it shows them.


class DirectoryReferences:
    """`wire.policy_object.References`, answered from the caller's directory."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._shown: dict[str, GroupObject] = {}  # Of many policies on a page, most name the same few groups.

    def group_key(self, wire_id: str, field: str) -> str:
        """The key of an existing group. Raises `ItemRefused`."""
        key = self._call.open(Kind.GROUP, wire_id, field)
        if groups.find_group(self._call.work, key) is None:
            raise refused(GROUP_NOT_FOUND, field)
        return key

    def group_id(self, key: str) -> str:
        """The wire id of a group."""
        return self._call.seal(Kind.GROUP, key)

    def group(self, key: str) -> GroupObject:
        """A group with the first `MOST_BELOW` right below it; `folder_count` counts all that are. Those further
        down only count in their own `folder_count`."""
        found = self._shown.get(key)
        if found is None:
            row = groups.find_group(self._call.work, key)
            if row is None:
                raise KeyError(key)  # What a policy names is never deleted.
            below = groups.groups_below(self._call.work, key, MOST_BELOW)
            keys = [key, *(child.id for child in below)]
            counts = groups.member_counts(self._call.work, keys), groups.count_below(self._call.work, keys)
            children = tuple(self._group_object(child, *counts) for child in below)
            found = self._shown[key] = self._group_object(row, *counts, children)
        return found

    def _group_object(
        self,
        row: GroupRow,
        users: Mapping[str, int],
        folders: Mapping[str, int],
        below: tuple[GroupObject, ...] = (),
    ) -> GroupObject:
        return GroupObject(
            id=self.group_id(row.id),
            description=row.name,
            source=row.source,
            parent_id="" if row.parent_id is None else self.group_id(row.parent_id),
            user_count=users.get(row.id, 0),
            folder_count=folders.get(row.id, 0),
            folders=below,
        )

    def attribute_key(self, wire_id: str | None, name: str | None, field: str) -> str:
        """The key of an existing attribute, by id or else by name. Raises `ItemRefused`."""
        if wire_id is not None:
            key = self._call.open(Kind.ATTRIBUTE, wire_id, f"{field}.id")
            found = attributes.find_type(self._call.work, key=key)
        else:
            found = attributes.find_type(self._call.work, name=name)
        if found is None:
            raise refused(ATTRIBUTE_NOT_FOUND, f"{field}.{'name' if wire_id is None else 'id'}")
        return found.id

    def attribute_id(self, key: str) -> str:
        """The wire id of an attribute."""
        return self._call.seal(Kind.ATTRIBUTE, key)

    def attribute_name(self, key: str) -> str:
        """The name of an attribute; empty for one that is gone."""
        found = attributes.find_type(self._call.work, key=key)
        return "" if found is None else found.name

    def is_own(self, domain: Domain) -> bool:
        """Whether a domain is one of the account's own."""
        return domains.find(self._call.work, domain) is not None
