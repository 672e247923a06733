"""What can be done with users and their aliases: validate, permit, change, audit."""

from __future__ import annotations

from typing import Final, TypeVar

import msgspec

from mailreeve.families.directory.account import rows as accounts
from mailreeve.families.directory.domains import rows as domains
from mailreeve.families.directory.domains.errors import NOT_MANAGED, not_managed
from mailreeve.families.directory.users import passwords, rights, rows
from mailreeve.families.directory.users.errors import ALIAS_NOT_FOUND, USER_EXISTS, USER_NOT_FOUND
from mailreeve.families.directory.users.rows import AddressRow, UserRow
from mailreeve.families.directory.users.types import ChangedUser, CreateUser, NewUser, UpdateUser
from mailreeve.families.machinery.call import Call
from mailreeve.formats.addresses import Address, without_tags
from mailreeve.store.changes import Name, Part
from mailreeve.store.transactions import Work
from mailreeve.wire import fields
from mailreeve.wire.errors import refused
from mailreeve.wire.tokens import Kind

MAX_NAME: Final = 255

ADDRESS: Final = "address"
"""How the directory's loader knows an address, which has no id."""

T = TypeVar("T")


def add_user(
    work: Work,
    text: str,
    *,
    name: str = "",
    password_hash: str | None = None,
    force_password_change: bool = False,
    role: str | None = None,
) -> UserRow:
    """A new user with the address `text`. Raises `ItemRefused`.

    What is kept for that address is the user's without more ado: it is kept under the key of the primary address.
    What was written for it while it was a tagged form of another address is that one's.
    """
    address = _new_address(work, text, "emailAddress")
    fields.short(name, "name", MAX_NAME)
    row = rows.add(
        work,
        address,
        shown=text,
        name=name,
        password_hash=password_hash,
        force_password_change=force_password_change,
        role=role,
    )
    work.changed(Part.DIRECTORY, "create", Kind.USER, row.id, after=row)
    return row


def create_administrator(work: Work, address: Address, password: str, role: str) -> str:
    """The id of a user with a role, as a new account has one. One who is there already is appointed: a new
    domain has its postmaster. Raises `ItemRefused`."""
    password_hash = passwords.hashed(password, "password")  # Nobody else writes yet who would have to wait.
    old = rows.find_by_address(work, address.key)
    if old is None:
        return add_user(work, str(address), password_hash=password_hash, role=role).id
    new = msgspec.structs.replace(old, role=role, password_changed_at=work.now)
    rows.change(work, new, password_hash)
    work.changed(Part.CREDENTIALS, "update", Kind.USER, new.id, before=old, after=new)
    return new.id


def prepare_create(item: CreateUser) -> NewUser:
    """The user to create, with the password hashed. Raises `ItemRefused`."""
    return NewUser(item, _hashed(item.password))


def create(call: Call, user: NewUser) -> UserRow:
    """A new user without a role. Raises `ItemRefused`."""
    item = user.item
    code = item.account_code
    if code is not None and code.casefold() != accounts.get(call.work).code.casefold():
        # Whether the code is some other account's or nobody's, the answer is the same.
        raise refused(NOT_MANAGED, "accountCode", f"{NOT_MANAGED.message}: not the caller's account")
    refuse_reaching_above(call, item.email_address, "emailAddress")
    return add_user(
        call.work,
        item.email_address,
        name=item.name or "",
        password_hash=user.password_hash,
        force_password_change=item.force_password_change,
    )


def prepare_update(item: UpdateUser) -> ChangedUser:
    """The user to change, with the password hashed. Raises `ItemRefused`."""
    return ChangedUser(item, _hashed(item.password))


def update(call: Call, user: ChangedUser) -> UserRow:
    """A user with the given settings; without any, the user as it is. Raises `ItemRefused`."""
    item = user.item
    old = get(call.work, item.email_address, "emailAddress")
    new = msgspec.structs.replace(
        old,
        name=fields.short(_or(item.name, old.name), "name", MAX_NAME),
        force_password_change=_or(item.force_password_change, old.force_password_change),
        password_never_expires=_or(item.password_never_expires, old.password_never_expires),
        locked=_or(item.account_locked, old.locked),
        disabled=_or(item.account_disabled, old.disabled),
        allow_smtp=_or(item.allow_smtp, old.allow_smtp),
        allow_pop=_or(item.allow_pop, old.allow_pop),
        archive_start=old.archive_start
        if item.archive_start_date is None
        else fields.moment(item.archive_start_date, "archiveStartDate"),
        archive_start_shown=_or(item.archive_start_date, old.archive_start_shown),
    )
    if new == old and user.password_hash is None:
        return old
    rights.refuse_above(call, old, "emailAddress")
    rights.refuse_last(call, old, new, _shutting_out(old, new))
    if user.password_hash is not None:
        new = msgspec.structs.replace(new, password_changed_at=call.work.now)
    rows.change(call.work, new, user.password_hash)
    # No decision looks at any of this.
    call.work.changed(Part.CREDENTIALS, "update", Kind.USER, new.id, before=old, after=new)
    return new


def get(work: Work, text: str, field: str) -> UserRow:
    """The user who has the address, primary or alias. Raises `ItemRefused` naming `field`."""
    address = fields.address(text, field)
    row = rows.find_by_address(work, address.key)
    if row is not None:
        return row
    _refuse_external(work, address, field)
    raise refused(USER_NOT_FOUND, field)


def get_reached(work: Work, text: str, field: str) -> UserRow:
    """The user whom mail to the address reaches, see `reached`. Raises `ItemRefused` naming `field`."""
    address = fields.address(text, field)
    row = reached(work, address) if domains.find(work, address.domain) is not None else None
    if row is not None:
        return row
    _refuse_external(work, address, field)
    raise refused(USER_NOT_FOUND, field)


def reached(work: Work, address: Address) -> UserRow | None:
    """The user whom mail to the address reaches, with or without a tag. What decisions ask `Identities.user`, as
    this transaction has it."""
    for key in (address.key, *without_tags(address.key)):
        row = rows.find_by_address(work, key)
        if row is not None:
            return row
    return None


def add_alias(call: Call, text: str, owner_text: str) -> tuple[AddressRow, UserRow]:
    """An alias of a user, given to it unless it has it, and the user. Raises `ItemRefused`.

    An alias is an internal address like any other: what anybody outside could send from must not make a sender
    one of our users. What the capabilities keep for the address joins what they keep for the user.
    """
    owner = get(call.work, owner_text, "aliasFor")
    alias = fields.address(text, "alias")
    there = rows.find_address(call.work, alias.key)
    if there is not None and there.alias and there.user_id == owner.id:
        return there, owner
    rights.refuse_above(call, owner, "aliasFor")
    refuse_reaching_above(call, text, "alias")
    alias = _new_address(call.work, text, "alias")
    row = rows.add_alias(call.work, owner, alias, text)
    call.work.changed(Part.DIRECTORY, "add-alias", Kind.USER, owner.id, after=row, names=[_alias_name(row)])
    for joined in call.address_joined:
        joined(call, row.key, owner.key, "alias")
    return row, owner


def remove_alias(
    call: Call, text: str, owner_text: str | None, field: str = "alias"
) -> tuple[AddressRow, UserRow]:
    """The alias that is taken from its user, and the user, who keeps what was the user's under it. Raises
    `ItemRefused` naming `field`, the member of the item that said it."""
    alias = fields.address(text, field)
    row = rows.find_address(call.work, alias.key)
    owner = rows.find_by_address(call.work, alias.key)
    if row is None or owner is None or not row.alias:
        raise refused(ALIAS_NOT_FOUND, field)
    if owner_text is not None and get(call.work, owner_text, "aliasFor").id != owner.id:
        raise refused(ALIAS_NOT_FOUND, field)
    rights.refuse_above(call, owner, field)
    rows.remove_alias(call.work, row.key)
    call.work.changed(Part.DIRECTORY, "remove-alias", Kind.USER, owner.id, before=row, names=[_alias_name(row)])
    return row, owner


def _alias_name(row: AddressRow) -> Name:
    return Name(ADDRESS, row.key)


def _hashed(password: str | None) -> str | None:
    return None if password is None else passwords.hashed(password, "password")


def _new_address(work: Work, text: str, field: str) -> Address:
    """An address of one of the account's domains that nobody has yet."""
    address = fields.address(text, field)
    _refuse_external(work, address, field)
    if rows.find_address(work, address.key) is not None:
        raise refused(USER_EXISTS, field)
    return address


def _refuse_external(work: Work, address: Address, field: str) -> None:
    if domains.find(work, address.domain) is None:
        raise not_managed(address.domain, field)


def refuse_reaching_above(call: Call, text: str, field: str) -> None:
    """A new address takes the mail that reached somebody by a tag until now."""
    address = fields.address(text, field)
    holder = reached(call.work, address)
    if holder is not None and rows.find_address(call.work, address.key) is None:
        rights.refuse_above(call, holder, field)


def _shutting_out(old: UserRow, new: UserRow) -> str:
    """The member of the item that keeps a user out from now on."""
    return "accountLocked" if new.locked and not old.locked else "accountDisabled"


def _or(given: T | None, kept: T) -> T:
    return kept if given is None else given
