"""Do the groups and attributes that a policy names exist, and how are they called on the wire?"""

from __future__ import annotations

from functools import cached_property

from mailreeve.families.call import Call
from mailreeve.families.groups import rows as groups
from mailreeve.families.groups.rows import GroupRow
from mailreeve.families.users import attributes
from mailreeve.wire.errors import ATTRIBUTE_NOT_FOUND, GROUP_NOT_FOUND, refused
from mailreeve.wire.policy_object import GroupObject
from mailreeve.wire.tokens import Kind


class DirectoryReferences:
    """`wire.policy_object.References`, answered from the caller's directory."""

    def __init__(self, call: Call) -> None:
        self._call = call

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
        """A group with those right below it; those further down only count in their own `folder_count`."""
        return self._group_object(self._groups[key], tuple(self._below.get(key, ())))

    def _group_object(self, row: GroupRow, below: tuple[GroupRow, ...] = ()) -> GroupObject:
        return GroupObject(
            id=self.group_id(row.id),
            description=row.name,
            source=row.source,
            parent_id="" if row.parent_id is None else self.group_id(row.parent_id),
            user_count=self._member_counts.get(row.id, 0),
            folder_count=len(self._below.get(row.id, ())),
            folders=tuple(self._group_object(child) for child in below),
        )

    @cached_property
    def _groups(self) -> dict[str, GroupRow]:
        return {row.id: row for row in groups.every_group(self._call.work)}

    @cached_property
    def _below(self) -> dict[str, list[GroupRow]]:
        below: dict[str, list[GroupRow]] = {}
        for row in self._groups.values():
            if row.parent_id is not None:
                below.setdefault(row.parent_id, []).append(row)
        return below

    @cached_property
    def _member_counts(self) -> dict[str, int]:
        return groups.member_counts(self._call.work)

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
