"""The items and answers of the group endpoints (api.md section 3.7)."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from msgspec import UNSET, Struct, UnsetType

from mailreeve.wire.items import MaybeEmpty, Prose


class Source(StrEnum):
    """Where a group comes from. Those of a directory server follow it."""

    CLOUD = "cloud"
    LDAP = "ldap"


class CreateGroup(Struct, frozen=True, rename="camel"):
    """A group to create, at the root without a parent."""

    description: Prose
    parent_id: str | None = None


class UpdateGroup(Struct, frozen=True, rename="camel"):
    """A group to rename, to move, or both. `confirm_reach` is about policies that would come to block a whole
    organisation thereby: true says that it is meant, false has it refused."""

    id: str
    description: Prose | None = None
    parent_id: str | None = None
    confirm_reach: bool | None = None


class OneGroup(Struct, frozen=True):
    """One group, by id."""

    id: str


class FindGroups(Struct, frozen=True):
    """Which groups to list: those whose name holds `query`, in any case."""

    query: str | None = None
    source: Source | None = None


class MemberItem(Struct, frozen=True, rename="camel"):
    """A member to add or remove: an address or a domain. With `until`, ours, the membership ends by itself at that
    instant. `confirm_reach` as for a group."""

    id: str
    email_address: str | None = None
    domain: str | None = None
    notes: Prose | None = None
    confirm_reach: bool | None = None
    until: str | None = None


class ChangeMember(Struct, frozen=True, rename="camel"):
    """A membership to change. An empty `until` has it never end; what is left out stays."""

    id: str
    email_address: str | None = None
    domain: str | None = None
    notes: Prose | None = None
    until: MaybeEmpty | None = None
    confirm_reach: bool | None = None


class EndedIn(Struct, frozen=True):
    """The group of which ended memberships are to be removed, or all groups without an id."""

    id: str | None = None


class GroupAnswer(Struct, frozen=True, rename="camel"):
    """A group. `parent_id` is empty at the root; `folders` is there only where groups below were asked for."""

    id: str
    description: str
    source: Source
    parent_id: str
    user_count: int
    folder_count: int


class GroupsAnswer(Struct, frozen=True):
    """The groups found, with the question as it was asked."""

    folders: Sequence[GroupAnswer]
    source: Source
    query: str | UnsetType = UNSET


class MembershipAnswer(Struct, frozen=True, rename="camel"):
    """A membership: `id` is its own, `folder_id` the group's."""

    id: str
    folder_id: str
    email_address: str
    domain: str
    internal: bool
    until: str | UnsetType = UNSET


class RemovedMembers(Struct, frozen=True, rename="camel"):
    """The ended memberships that are gone. Where `more` are left, the call is to be repeated."""

    removed: Sequence[MembershipAnswer]
    more: bool


class MemberAnswer(Struct, frozen=True, rename="camel"):
    """A member in a list. Clients read both `email_address` and `domain`, one of which is empty for a domain
    (clients.md). `until` and `ended` are there for memberships that end."""

    name: str
    email_address: str
    domain: str
    type: str
    internal: bool
    notes: str
    until: str | UnsetType = UNSET
    ended: bool | UnsetType = UNSET


class MembersAnswer(Struct, frozen=True, rename="camel"):
    """The members of a group."""

    group_members: Sequence[MemberAnswer]


class DeletedGroup(Struct, frozen=True):
    """A group that is gone."""

    id: str
    deleted: bool = True
