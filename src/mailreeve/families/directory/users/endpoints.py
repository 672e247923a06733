"""The user endpoints (api.md section 3.6)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import UNSET, UnsetType

from mailreeve.access.permissions import Permission
from mailreeve.families.directory.account import rows as accounts
from mailreeve.families.directory.domains import rows as domains
from mailreeve.families.directory.domains.errors import not_managed
from mailreeve.families.directory.users import attribute_operations, attributes, operations, rows
from mailreeve.families.directory.users.attributes import AttributeValue
from mailreeve.families.directory.users.rows import AddressRow, UserRow
from mailreeve.families.directory.users.types import (
    AliasAnswer,
    AttributeAnswer,
    AttributesAnswer,
    AttributeTypeAnswer,
    AttributeTypesAnswer,
    ChangedUser,
    CreatedUser,
    FindUsers,
    ListedUser,
    NewUser,
    Nothing,
    OneUser,
    ProfileAnswer,
    ProfileOf,
    RemoveAlias,
    UpdateAttributes,
    UsersAnswer,
    UserSettings,
    WriteAlias,
)
from mailreeve.families.machinery.call import Call
from mailreeve.wire import fields
from mailreeve.wire.endpoint import endpoint
from mailreeve.wire.errors import NULL, refused
from mailreeve.wire.pagination import Page
from mailreeve.wire.tokens import Kind

EDIT: Final = Permission.DIRECTORIES_INTERNAL_EDIT
READ: Final = Permission.DIRECTORIES_INTERNAL_READ


# Clients send what is documented and nothing else (clients.md): whoever sends more means something by it.
@endpoint(
    "user/create-user",
    EDIT,
    writes=True,
    prepare=operations.prepare_create,
    slow="password",
    tells_unknown=True,
)
def create_user(call: Call, user: NewUser) -> CreatedUser:
    """Create a user in one of the account's domains."""
    row = operations.create(call, user)
    return CreatedUser(call.seal(Kind.USER, row.id), row.address)


@endpoint(
    "user/update-user",
    EDIT,
    writes=True,
    prepare=operations.prepare_update,
    slow="password",
    tells_unknown=True,
)
def update_user(call: Call, user: ChangedUser) -> UserSettings:
    """Change a user's settings; with an address alone, return them."""
    row = operations.update(call, user)
    return UserSettings(
        id=call.seal(Kind.USER, row.id),
        email_address=row.address,
        name=row.name,
        force_password_change=row.force_password_change,
        password_never_expires=row.password_never_expires,
        account_locked=row.locked,
        account_disabled=row.disabled,
        allow_smtp=row.allow_smtp,
        allow_pop=row.allow_pop,
        archive_start_date=_archive_start(row),
    )


@endpoint("user/get-internal-users", READ)
def get_internal_users(call: Call, item: FindUsers) -> Page[UsersAnswer]:
    """List the users and their aliases, of one domain or of all."""
    domain = None if item.domain is None else fields.domain(item.domain, "domain")
    if domain is not None and domains.find(call.work, domain) is None:
        raise not_managed(domain, "domain")
    page = rows.page_of_addresses(call.work, domain, call.page)
    shown = domains.shown(call.work, {row.domain for row in page.rows})
    listed = [
        ListedUser(row.name, row.shown, shown.get(row.domain, row.domain), row.alias, row.address_type, row.source)
        for row in page.rows
    ]
    return page.showing([UsersAnswer(listed, page.total)])


@endpoint("user/get-profile", READ, short="emailAddress")
def get_profile(call: Call, item: ProfileOf) -> ProfileAnswer:
    """Describe a user."""
    row = _asked_for(call, item.email_address)
    account = accounts.get(call.work)
    return ProfileAnswer(
        id=call.seal(Kind.USER, row.id),
        name=row.name,
        email_address=row.address,
        account_code=account.code,
        company_name=account.name,
        role=row.role or "",
        admin=row.role is not None,
        local_password=row.password_changed_at is not None,
        change_password=row.force_password_change,
        external=False,
        editable=True,
        attributes={held.name: held.value for held in attributes.values_of(call.work, row.id)},
    )


@endpoint("user/get-aliases", Permission.DIRECTORIES_GROUPS_READ)
def get_aliases(call: Call, item: OneUser) -> Page[AliasAnswer]:
    """List a user's aliases."""
    owner = operations.get(call.work, item.email_address, "emailAddress")
    page = rows.page_of_aliases(call.work, owner.id, call.page)
    return page.showing([_alias(row, owner) for row in page.rows])


@endpoint("user/update-alias", Permission.DIRECTORIES_GROUPS_EDIT, writes=True)
def update_alias(call: Call, item: WriteAlias) -> AliasAnswer:
    """Give an alias to a user."""
    return _alias(*operations.add_alias(call, item.alias, item.alias_for))


@endpoint("user/remove-alias", Permission.DIRECTORIES_GROUPS_EDIT, writes=True)
def remove_alias(call: Call, item: RemoveAlias) -> AliasAnswer:
    """Take an alias from its user."""
    return _alias(*operations.remove_alias(call, item.alias, item.alias_for))


# The sources disagree on this one, so either permission grants the call (api.md section 7.1).
@endpoint("user/get-attributes", EDIT, READ)
def get_attributes(call: Call, item: OneUser) -> Page[AttributesAnswer]:
    """List a user's attributes."""
    user = operations.get(call.work, item.email_address, "emailAddress")
    page = attributes.page_of_values(call.work, user.id, call.page)
    return page.showing([_attributes(call, user, page.rows)])


@endpoint("user/update-attributes", EDIT, writes=True)
def update_attributes(call: Call, item: UpdateAttributes) -> AttributesAnswer:
    """Set a user's attributes."""
    return _attributes(call, *attribute_operations.update(call, item.email_address, item.attributes))


@endpoint("attribute/find-attribute-types", Permission.DIRECTORIES_ATTRIBUTES_READ)
def find_attribute_types(call: Call, item: Nothing) -> Page[AttributeTypesAnswer]:
    """List the kinds of attribute."""
    page = attributes.page_of_types(call.work, call.page)
    types = [AttributeTypeAnswer(call.seal(Kind.ATTRIBUTE, row.id), row.name) for row in page.rows]
    return page.showing([AttributeTypesAnswer(types)])


def _asked_for(call: Call, address: str | None) -> UserRow:
    if address is not None:
        return operations.get(call.work, address, "emailAddress")
    caller = rows.find(call.work, call.caller.user_id)
    if caller is None:  # An application has no profile of its own.
        raise refused(NULL, "emailAddress")
    return caller


def _alias(row: AddressRow, owner: UserRow) -> AliasAnswer:
    return AliasAnswer(
        alias=row.shown,
        alias_display_name=row.name,
        alias_for=owner.address,
        domain=row.domain,
        is_internal=True,
        type=row.address_type,
    )


def _attributes(call: Call, user: UserRow, held: Sequence[AttributeValue]) -> AttributesAnswer:
    shown = [AttributeAnswer(call.seal(Kind.ATTRIBUTE, row.type_id), row.name, row.value) for row in held]
    return AttributesAnswer(user.address, shown)


def _archive_start(row: UserRow) -> str | UnsetType:
    """As it was sent (behaviour.md D-47); what an older version stored knows only the moment."""
    if row.archive_start is None:
        return UNSET
    return row.archive_start_shown or fields.written(row.archive_start)


ENDPOINTS: Final = (
    create_user,
    update_user,
    get_internal_users,
    get_profile,
    get_aliases,
    update_alias,
    remove_alias,
    get_attributes,
    update_attributes,
    find_attribute_types,
)
