"""The functions of groups. Made by tools/make_client.py."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

if TYPE_CHECKING:
    from mailreeve.client.aio.api import AsyncApi
    from mailreeve.client.api import Api


class DeletedGroup(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A group that is gone."""

    id: str = ""
    deleted: bool = False


class GroupAnswer(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"parent_id": "parentId", "user_count": "userCount", "folder_count": "folderCount"},
):
    """A group. `parent_id` is empty at the root; `folders` is there only where groups below were asked for."""

    id: str = ""
    description: str = ""
    source: str = ""
    parent_id: str = ""
    user_count: int = 0
    folder_count: int = 0


class GroupsAnswer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The groups found, with the question as it was asked."""

    folders: tuple[GroupAnswer, ...] = ()
    source: str = ""
    query: str | None = None


class MemberAnswer(
    Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"email_address": "emailAddress"}
):
    """A member in a list. Clients read both `email_address` and `domain`, one of which is empty for a domain.
    `until` and `ended` are there for memberships that end.
    """

    name: str = ""
    email_address: str = ""
    domain: str = ""
    type: str = ""
    internal: bool = False
    notes: str = ""
    until: str | None = None
    ended: bool | None = None


class MembersAnswer(
    Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"group_members": "groupMembers"}
):
    """The members of a group."""

    group_members: tuple[MemberAnswer, ...] = ()


class MembershipAnswer(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"folder_id": "folderId", "email_address": "emailAddress"},
):
    """A membership: `id` is its own, `folder_id` the group's."""

    id: str = ""
    folder_id: str = ""
    email_address: str = ""
    domain: str = ""
    internal: bool = False
    until: str | None = None


class RemovedMembers(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The ended memberships that are gone. Where `more` are left, the call is to be repeated."""

    removed: tuple[MembershipAnswer, ...] = ()
    more: bool = False


class GroupsFunctions:
    """What can be asked about groups."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def create_group(self, *, description: str, parent_id: str | None = None) -> GroupAnswer:
        """Create a group."""
        return self._api.one_of(
            GroupAnswer, "directory/create-group", {"description": description, "parentId": parent_id}
        )

    def update_group(
        self,
        *,
        id: str,
        description: str | None = None,
        parent_id: str | None = None,
        confirm_reach: bool | None = None,
    ) -> GroupAnswer:
        """Rename or move a group."""
        return self._api.one_of(
            GroupAnswer,
            "directory/update-group",
            {"id": id, "description": description, "parentId": parent_id, "confirmReach": confirm_reach},
        )

    def delete_group(self, *, id: str) -> DeletedGroup:
        """Delete a group that nothing uses."""
        return self._api.one_of(DeletedGroup, "directory/delete-group", {"id": id})

    def get_group(self, *, id: str) -> GroupAnswer:
        """Return one group."""
        return self._api.one_of(GroupAnswer, "directory/get-group", {"id": id})

    def find_groups(
        self,
        *,
        query: str | None = None,
        source: Literal["cloud", "ldap"] | None = None,
        page_size: int | None = None,
    ) -> Iterator[GroupsAnswer]:
        """List the groups, or those whose name holds a text."""
        return self._api.every_of(
            GroupsAnswer, "directory/find-groups", {"query": query, "source": source}, page_size=page_size
        )

    def get_group_members(self, *, id: str, page_size: int | None = None) -> Iterator[MembersAnswer]:
        """List the members of a group."""
        return self._api.every_of(MembersAnswer, "directory/get-group-members", {"id": id}, page_size=page_size)

    def add_group_member(
        self,
        *,
        id: str,
        email_address: str | None = None,
        domain: str | None = None,
        notes: str | None = None,
        confirm_reach: bool | None = None,
        until: str | None = None,
    ) -> MembershipAnswer:
        """Add an address or a domain to a group."""
        return self._api.one_of(
            MembershipAnswer,
            "directory/add-group-member",
            {
                "id": id,
                "emailAddress": email_address,
                "domain": domain,
                "notes": notes,
                "confirmReach": confirm_reach,
                "until": until,
            },
        )

    def remove_group_member(
        self,
        *,
        id: str,
        email_address: str | None = None,
        domain: str | None = None,
        notes: str | None = None,
        confirm_reach: bool | None = None,
        until: str | None = None,
    ) -> MembershipAnswer:
        """Remove an address or a domain from a group."""
        return self._api.one_of(
            MembershipAnswer,
            "directory/remove-group-member",
            {
                "id": id,
                "emailAddress": email_address,
                "domain": domain,
                "notes": notes,
                "confirmReach": confirm_reach,
                "until": until,
            },
        )

    def update_group_member(
        self,
        *,
        id: str,
        email_address: str | None = None,
        domain: str | None = None,
        notes: str | None = None,
        until: str | None = None,
        confirm_reach: bool | None = None,
    ) -> MembershipAnswer:
        """Change when a membership ends, or its notes."""
        return self._api.one_of(
            MembershipAnswer,
            "ext/update-group-member",
            {
                "id": id,
                "emailAddress": email_address,
                "domain": domain,
                "notes": notes,
                "until": until,
                "confirmReach": confirm_reach,
            },
        )

    def remove_ended_members(self, *, id: str | None = None) -> RemovedMembers:
        """Remove memberships that have ended, of one group or of all."""
        return self._api.one_of(RemovedMembers, "ext/remove-ended-members", {"id": id})


class AsyncGroupsFunctions:
    """What can be asked about groups."""

    def __init__(self, api: AsyncApi) -> None:
        self._api = api

    async def create_group(self, *, description: str, parent_id: str | None = None) -> GroupAnswer:
        """Create a group."""
        return await self._api.one_of(
            GroupAnswer, "directory/create-group", {"description": description, "parentId": parent_id}
        )

    async def update_group(
        self,
        *,
        id: str,
        description: str | None = None,
        parent_id: str | None = None,
        confirm_reach: bool | None = None,
    ) -> GroupAnswer:
        """Rename or move a group."""
        return await self._api.one_of(
            GroupAnswer,
            "directory/update-group",
            {"id": id, "description": description, "parentId": parent_id, "confirmReach": confirm_reach},
        )

    async def delete_group(self, *, id: str) -> DeletedGroup:
        """Delete a group that nothing uses."""
        return await self._api.one_of(DeletedGroup, "directory/delete-group", {"id": id})

    async def get_group(self, *, id: str) -> GroupAnswer:
        """Return one group."""
        return await self._api.one_of(GroupAnswer, "directory/get-group", {"id": id})

    def find_groups(
        self,
        *,
        query: str | None = None,
        source: Literal["cloud", "ldap"] | None = None,
        page_size: int | None = None,
    ) -> AsyncIterator[GroupsAnswer]:
        """List the groups, or those whose name holds a text."""
        return self._api.every_of(
            GroupsAnswer, "directory/find-groups", {"query": query, "source": source}, page_size=page_size
        )

    def get_group_members(self, *, id: str, page_size: int | None = None) -> AsyncIterator[MembersAnswer]:
        """List the members of a group."""
        return self._api.every_of(MembersAnswer, "directory/get-group-members", {"id": id}, page_size=page_size)

    async def add_group_member(
        self,
        *,
        id: str,
        email_address: str | None = None,
        domain: str | None = None,
        notes: str | None = None,
        confirm_reach: bool | None = None,
        until: str | None = None,
    ) -> MembershipAnswer:
        """Add an address or a domain to a group."""
        return await self._api.one_of(
            MembershipAnswer,
            "directory/add-group-member",
            {
                "id": id,
                "emailAddress": email_address,
                "domain": domain,
                "notes": notes,
                "confirmReach": confirm_reach,
                "until": until,
            },
        )

    async def remove_group_member(
        self,
        *,
        id: str,
        email_address: str | None = None,
        domain: str | None = None,
        notes: str | None = None,
        confirm_reach: bool | None = None,
        until: str | None = None,
    ) -> MembershipAnswer:
        """Remove an address or a domain from a group."""
        return await self._api.one_of(
            MembershipAnswer,
            "directory/remove-group-member",
            {
                "id": id,
                "emailAddress": email_address,
                "domain": domain,
                "notes": notes,
                "confirmReach": confirm_reach,
                "until": until,
            },
        )

    async def update_group_member(
        self,
        *,
        id: str,
        email_address: str | None = None,
        domain: str | None = None,
        notes: str | None = None,
        until: str | None = None,
        confirm_reach: bool | None = None,
    ) -> MembershipAnswer:
        """Change when a membership ends, or its notes."""
        return await self._api.one_of(
            MembershipAnswer,
            "ext/update-group-member",
            {
                "id": id,
                "emailAddress": email_address,
                "domain": domain,
                "notes": notes,
                "until": until,
                "confirmReach": confirm_reach,
            },
        )

    async def remove_ended_members(self, *, id: str | None = None) -> RemovedMembers:
        """Remove memberships that have ended, of one group or of all."""
        return await self._api.one_of(RemovedMembers, "ext/remove-ended-members", {"id": id})
