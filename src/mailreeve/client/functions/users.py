"""The functions of users. Made by tools/make_client.py."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct, field

if TYPE_CHECKING:
    from mailreeve.client.aio.api import AsyncApi
    from mailreeve.client.api import Api


class AliasAnswer(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"alias_display_name": "aliasDisplayName", "alias_for": "aliasFor", "is_internal": "isInternal"},
):
    """An alias and whose it is."""

    alias: str = ""
    alias_display_name: str = ""
    alias_for: str = ""
    domain: str = ""
    is_internal: bool = False
    type: str = ""


class AttributeAnswer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A value that a user has."""

    id: str = ""
    name: str = ""
    value: str = ""


class AttributeTypeAnswer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A kind of attribute."""

    id: str = ""
    name: str = ""


class AttributeTypesAnswer(
    Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"attribute_types": "attributeTypes"}
):
    """The kinds of attribute that users can have."""

    attribute_types: tuple[AttributeTypeAnswer, ...] = ()


class AttributesAnswer(
    Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"email_address": "emailAddress"}
):
    """The attributes of a user."""

    email_address: str = ""
    attributes: tuple[AttributeAnswer, ...] = ()


class CreatedUser(Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"email_address": "emailAddress"}):
    """A user just created."""

    id: str = ""
    email_address: str = ""


class DescribedUser(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"email_address": "emailAddress", "alias_count": "aliasCount"},
):
    """A user, with groups, attributes, and what the capabilities keep for the user, in words."""

    id: str = ""
    email_address: str = ""
    name: str = ""
    role: str = ""
    locked: bool = False
    disabled: bool = False
    aliases: tuple[str, ...] = ()
    alias_count: int = 0
    formerly: tuple[FormerAnswer, ...] | None = None
    groups: tuple[MembershipOf, ...] = ()
    attributes: tuple[NamedValue, ...] = ()
    kept: tuple[str, ...] = ()


class FormerAnswer(
    Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"email_address": "emailAddress"}
):
    """A primary address that the user had before, and until when."""

    email_address: str = ""
    until: str = ""


class FoundUser(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"email_address": "emailAddress", "alias_count": "aliasCount"},
):
    """A user in a list, with the first twenty aliases and how many there are."""

    id: str = ""
    email_address: str = ""
    name: str = ""
    role: str = ""
    locked: bool = False
    disabled: bool = False
    aliases: tuple[str, ...] = ()
    alias_count: int = 0
    formerly: tuple[FormerAnswer, ...] | None = None


class Link(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Another call about the same user."""

    name: str = ""
    method: str = ""
    uri: str = ""


class ListedUser(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"email_address": "emailAddress", "address_type": "addressType"},
):
    """An address in the list of users: a user's primary one, or an alias."""

    name: str = ""
    email_address: str = ""
    domain: str = ""
    alias: bool = False
    address_type: str = ""
    source: str = ""


class MembershipOf(Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"group_id": "groupId"}):
    """A group that a user is in: by which member, an address or a domain, and until when if it ends."""

    group_id: str = ""
    description: str = ""
    member: str = ""
    until: str | None = None


class NamedValue(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A value that a user has of an attribute."""

    name: str = ""
    value: str = ""


class ProfileAnswer(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={
        "email_address": "emailAddress",
        "account_code": "accountCode",
        "company_name": "companyName",
        "local_password": "localPassword",
        "change_password": "changePassword",
        "server_time_zone": "serverTimeZone",
    },
):
    """A user's profile. `role` is empty for a user without one."""

    id: str = ""
    name: str = ""
    email_address: str = ""
    account_code: str = ""
    company_name: str = ""
    role: str = ""
    admin: bool = False
    local_password: bool = False
    change_password: bool = False
    external: bool = False
    editable: bool = False
    attributes: Mapping[str, str] = field(default_factory=dict)
    links: tuple[Link, ...] = ()
    server_time_zone: str = ""


class RemovedUser(Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"email_address": "emailAddress"}):
    """A user who is gone, with the aliases. `gone` says what went too, in words."""

    id: str = ""
    email_address: str = ""
    aliases: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    deleted: bool = False


class RenamedUser(Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"email_address": "emailAddress"}):
    """A user under the new address. `alias` is the old address, empty where it was not kept; `followed` says
    what followed, in words.
    """

    id: str = ""
    email_address: str = ""
    was: str = ""
    alias: str = ""
    followed: tuple[str, ...] = ()


class UserSettings(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={
        "email_address": "emailAddress",
        "force_password_change": "forcePasswordChange",
        "password_never_expires": "passwordNeverExpires",
        "account_locked": "accountLocked",
        "account_disabled": "accountDisabled",
        "allow_smtp": "allowSmtp",
        "allow_pop": "allowPop",
        "archive_start_date": "archiveStartDate",
    },
):
    """What can be set for a user, as it is now."""

    id: str = ""
    email_address: str = ""
    name: str = ""
    force_password_change: bool = False
    password_never_expires: bool = False
    account_locked: bool = False
    account_disabled: bool = False
    allow_smtp: bool = False
    allow_pop: bool = False
    archive_start_date: str | None = None


class UsersAnswer(Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"user_count": "userCount"}):
    """A page of addresses. `user_count` counts those on every page."""

    users: tuple[ListedUser, ...] = ()
    user_count: int = 0


class UsersAttributeItem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A value to set, of a type named by id or by name; without a value, the one there is goes."""

    id: str | None = None
    name: str | None = None
    value: str | None = None


class UsersFunctions:
    """What can be asked about users."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def create_user(
        self,
        *,
        email_address: str,
        name: str | None = None,
        password: str | None = None,
        force_password_change: bool | None = None,
        account_code: str | None = None,
    ) -> CreatedUser:
        """Create a user in one of the account's domains."""
        return self._api.one_of(
            CreatedUser,
            "user/create-user",
            {
                "emailAddress": email_address,
                "name": name,
                "password": password,
                "forcePasswordChange": force_password_change,
                "accountCode": account_code,
            },
        )

    def update_user(
        self,
        *,
        email_address: str,
        name: str | None = None,
        password: str | None = None,
        force_password_change: bool | None = None,
        password_never_expires: bool | None = None,
        account_locked: bool | None = None,
        account_disabled: bool | None = None,
        allow_smtp: bool | None = None,
        allow_pop: bool | None = None,
        archive_start_date: str | None = None,
    ) -> UserSettings:
        """Change a user's settings; with an address alone, return them."""
        return self._api.one_of(
            UserSettings,
            "user/update-user",
            {
                "emailAddress": email_address,
                "name": name,
                "password": password,
                "forcePasswordChange": force_password_change,
                "passwordNeverExpires": password_never_expires,
                "accountLocked": account_locked,
                "accountDisabled": account_disabled,
                "allowSmtp": allow_smtp,
                "allowPop": allow_pop,
                "archiveStartDate": archive_start_date,
            },
        )

    def get_internal_users(
        self, *, domain: str | None = None, page_size: int | None = None
    ) -> Iterator[UsersAnswer]:
        """List the users and their aliases, of one domain or of all."""
        return self._api.every_of(UsersAnswer, "user/get-internal-users", {"domain": domain}, page_size=page_size)

    def get_profile(self, *, email_address: str | None = None, show_avatar: bool | None = None) -> ProfileAnswer:
        """Describe a user."""
        return self._api.one_of(
            ProfileAnswer, "user/get-profile", {"emailAddress": email_address, "showAvatar": show_avatar}
        )

    def get_aliases(self, *, email_address: str, page_size: int | None = None) -> Iterator[AliasAnswer]:
        """List a user's aliases."""
        return self._api.every_of(
            AliasAnswer, "user/get-aliases", {"emailAddress": email_address}, page_size=page_size
        )

    def update_alias(self, *, alias: str, alias_for: str) -> AliasAnswer:
        """Give an alias to a user."""
        return self._api.one_of(AliasAnswer, "user/update-alias", {"alias": alias, "aliasFor": alias_for})

    def remove_alias(self, *, alias: str, alias_for: str | None = None) -> AliasAnswer:
        """Take an alias from its user."""
        return self._api.one_of(AliasAnswer, "user/remove-alias", {"alias": alias, "aliasFor": alias_for})

    def get_attributes(self, *, email_address: str, page_size: int | None = None) -> Iterator[AttributesAnswer]:
        """List a user's attributes."""
        return self._api.every_of(
            AttributesAnswer, "user/get-attributes", {"emailAddress": email_address}, page_size=page_size
        )

    def update_attributes(
        self, *, email_address: str, attributes: Sequence[UsersAttributeItem | Mapping[str, object]]
    ) -> AttributesAnswer:
        """Set a user's attributes."""
        return self._api.one_of(
            AttributesAnswer, "user/update-attributes", {"emailAddress": email_address, "attributes": attributes}
        )

    def find_attribute_types(self, *, page_size: int | None = None) -> Iterator[AttributeTypesAnswer]:
        """List the kinds of attribute."""
        return self._api.every_of(AttributeTypesAnswer, "attribute/find-attribute-types", {}, page_size=page_size)

    def find_users(
        self,
        *,
        domain: str | None = None,
        group_id: str | None = None,
        locked: bool | None = None,
        query: str | None = None,
        page_size: int | None = None,
    ) -> Iterator[FoundUser]:
        """List the users who fit what is given."""
        return self._api.every_of(
            FoundUser,
            "ext/find-users",
            {"domain": domain, "groupId": group_id, "locked": locked, "query": query},
            page_size=page_size,
        )

    def describe_user(self, *, email_address: str) -> DescribedUser:
        """Describe a user by any address: addresses, groups, attributes, and what is kept besides."""
        return self._api.one_of(DescribedUser, "ext/describe-user", {"emailAddress": email_address})

    def rename_user(
        self, *, email_address: str, new_address: str, keep_as_alias: bool | None = None
    ) -> RenamedUser:
        """Give a user another address; all that is kept for the old one follows."""
        return self._api.one_of(
            RenamedUser,
            "ext/rename-user",
            {"emailAddress": email_address, "newAddress": new_address, "keepAsAlias": keep_as_alias},
        )

    def remove_user(self, *, email_address: str, force: bool | None = None) -> RemovedUser:
        """Remove a user with all that belongs to the user."""
        return self._api.one_of(RemovedUser, "ext/remove-user", {"emailAddress": email_address, "force": force})


class AsyncUsersFunctions:
    """What can be asked about users."""

    def __init__(self, api: AsyncApi) -> None:
        self._api = api

    async def create_user(
        self,
        *,
        email_address: str,
        name: str | None = None,
        password: str | None = None,
        force_password_change: bool | None = None,
        account_code: str | None = None,
    ) -> CreatedUser:
        """Create a user in one of the account's domains."""
        return await self._api.one_of(
            CreatedUser,
            "user/create-user",
            {
                "emailAddress": email_address,
                "name": name,
                "password": password,
                "forcePasswordChange": force_password_change,
                "accountCode": account_code,
            },
        )

    async def update_user(
        self,
        *,
        email_address: str,
        name: str | None = None,
        password: str | None = None,
        force_password_change: bool | None = None,
        password_never_expires: bool | None = None,
        account_locked: bool | None = None,
        account_disabled: bool | None = None,
        allow_smtp: bool | None = None,
        allow_pop: bool | None = None,
        archive_start_date: str | None = None,
    ) -> UserSettings:
        """Change a user's settings; with an address alone, return them."""
        return await self._api.one_of(
            UserSettings,
            "user/update-user",
            {
                "emailAddress": email_address,
                "name": name,
                "password": password,
                "forcePasswordChange": force_password_change,
                "passwordNeverExpires": password_never_expires,
                "accountLocked": account_locked,
                "accountDisabled": account_disabled,
                "allowSmtp": allow_smtp,
                "allowPop": allow_pop,
                "archiveStartDate": archive_start_date,
            },
        )

    def get_internal_users(
        self, *, domain: str | None = None, page_size: int | None = None
    ) -> AsyncIterator[UsersAnswer]:
        """List the users and their aliases, of one domain or of all."""
        return self._api.every_of(UsersAnswer, "user/get-internal-users", {"domain": domain}, page_size=page_size)

    async def get_profile(
        self, *, email_address: str | None = None, show_avatar: bool | None = None
    ) -> ProfileAnswer:
        """Describe a user."""
        return await self._api.one_of(
            ProfileAnswer, "user/get-profile", {"emailAddress": email_address, "showAvatar": show_avatar}
        )

    def get_aliases(self, *, email_address: str, page_size: int | None = None) -> AsyncIterator[AliasAnswer]:
        """List a user's aliases."""
        return self._api.every_of(
            AliasAnswer, "user/get-aliases", {"emailAddress": email_address}, page_size=page_size
        )

    async def update_alias(self, *, alias: str, alias_for: str) -> AliasAnswer:
        """Give an alias to a user."""
        return await self._api.one_of(AliasAnswer, "user/update-alias", {"alias": alias, "aliasFor": alias_for})

    async def remove_alias(self, *, alias: str, alias_for: str | None = None) -> AliasAnswer:
        """Take an alias from its user."""
        return await self._api.one_of(AliasAnswer, "user/remove-alias", {"alias": alias, "aliasFor": alias_for})

    def get_attributes(
        self, *, email_address: str, page_size: int | None = None
    ) -> AsyncIterator[AttributesAnswer]:
        """List a user's attributes."""
        return self._api.every_of(
            AttributesAnswer, "user/get-attributes", {"emailAddress": email_address}, page_size=page_size
        )

    async def update_attributes(
        self, *, email_address: str, attributes: Sequence[UsersAttributeItem | Mapping[str, object]]
    ) -> AttributesAnswer:
        """Set a user's attributes."""
        return await self._api.one_of(
            AttributesAnswer, "user/update-attributes", {"emailAddress": email_address, "attributes": attributes}
        )

    def find_attribute_types(self, *, page_size: int | None = None) -> AsyncIterator[AttributeTypesAnswer]:
        """List the kinds of attribute."""
        return self._api.every_of(AttributeTypesAnswer, "attribute/find-attribute-types", {}, page_size=page_size)

    def find_users(
        self,
        *,
        domain: str | None = None,
        group_id: str | None = None,
        locked: bool | None = None,
        query: str | None = None,
        page_size: int | None = None,
    ) -> AsyncIterator[FoundUser]:
        """List the users who fit what is given."""
        return self._api.every_of(
            FoundUser,
            "ext/find-users",
            {"domain": domain, "groupId": group_id, "locked": locked, "query": query},
            page_size=page_size,
        )

    async def describe_user(self, *, email_address: str) -> DescribedUser:
        """Describe a user by any address: addresses, groups, attributes, and what is kept besides."""
        return await self._api.one_of(DescribedUser, "ext/describe-user", {"emailAddress": email_address})

    async def rename_user(
        self, *, email_address: str, new_address: str, keep_as_alias: bool | None = None
    ) -> RenamedUser:
        """Give a user another address; all that is kept for the old one follows."""
        return await self._api.one_of(
            RenamedUser,
            "ext/rename-user",
            {"emailAddress": email_address, "newAddress": new_address, "keepAsAlias": keep_as_alias},
        )

    async def remove_user(self, *, email_address: str, force: bool | None = None) -> RemovedUser:
        """Remove a user with all that belongs to the user."""
        return await self._api.one_of(
            RemovedUser, "ext/remove-user", {"emailAddress": email_address, "force": force}
        )
