"""Who may open whose mailbox? The question that every capability asks before it shows or changes what is a user's.

A user opens the own mailbox, and those for which a delegate right is in force (behaviour.md section 7). Rights do
not chain (D-31): whose mailbox a mailbox's owner may open is never asked. The rights are made by the capability
`delegates`; their table stands here, where all others may read it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import (
    Column,
    ColumnElement,
    ForeignKeyConstraint,
    Index,
    String,
    Table,
    UniqueConstraint,
    or_,
    select,
)

from mailreeve.families.directory.users import operations as users
from mailreeve.families.directory.users.errors import USER_NOT_FOUND
from mailreeve.families.directory.users.rows import UserRow
from mailreeve.families.machinery.call import Call
from mailreeve.store.records import given, ours
from mailreeve.store.schema import KEY, Moment, account_column, key_column, metadata
from mailreeve.store.transactions import Work
from mailreeve.wire import fields
from mailreeve.wire.errors import refused


class DelegateScope(StrEnum):
    """What of a mailbox a right opens (behaviour.md sections 7.2 and 7.4).

    - `held`: see, release and reject its held messages
    - `lists`: see and change whom its user permits and blocks
    - `archive`: find and read its mail that is archived
    - `send`: send as its user
    """

    HELD = "held"
    LISTS = "lists"
    ARCHIVE = "archive"
    SEND = "send"


DEFAULT_SCOPES: Final = (DelegateScope.HELD, DelegateScope.LISTS, DelegateScope.ARCHIVE)
"""What a right opens of which nothing is said: all but sending (D-34)."""

_BETWEEN: Final = ","

delegate_right: Final = Table(
    "delegate_right",
    metadata,
    account_column(),
    key_column(),
    Column("holder_id", KEY, nullable=False),
    Column("mailbox_id", KEY, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("scopes", String(64), nullable=False, server_default=_BETWEEN.join(DEFAULT_SCOPES)),
    Column("expires_at", Moment, nullable=True),
    ForeignKeyConstraint(["account_id", "holder_id"], ["user.account_id", "user.id"]),
    ForeignKeyConstraint(["account_id", "mailbox_id"], ["user.account_id", "user.id"]),
    UniqueConstraint("account_id", "holder_id", "mailbox_id"),
    Index(None, "account_id", "mailbox_id"),
    Index(None, "account_id", "holder_id", "id"),
)
"""Rights: the user `holder_id` can open the mailbox of the user `mailbox_id`, of which `scopes` are named, between
commas. From `expires_at` on it opens nothing."""

_right: Final = delegate_right.c


def in_force() -> ColumnElement[bool]:
    """The condition that a right has not ended at the time `now`: the end is no part of it (D-12)."""
    return or_(_right.expires_at.is_(None), _right.expires_at > given("now"))


_between: Final = select(_right.scopes).where(
    ours(delegate_right),
    _right.holder_id == given("holder"),
    _right.mailbox_id == given("mailbox"),
    in_force(),
)
_opened: Final = (
    select(_right.mailbox_id, _right.scopes)
    .where(ours(delegate_right), _right.holder_id == given("holder"), in_force())
    .order_by(_right.id)
)


def scopes_in(text: str) -> tuple[DelegateScope, ...]:
    """The scopes that the column holds. One that this version does not know opens nothing."""
    return tuple(scope for scope in DelegateScope if scope.value in text.split(_BETWEEN))


def written(scopes: Iterable[DelegateScope]) -> str:
    """Scopes as the column holds them, each once and in one order."""
    wanted = frozenset(scopes)
    return _BETWEEN.join(scope.value for scope in DelegateScope if scope in wanted)


def may_open(work: Work, acting: str, mailbox: str, scope: str) -> bool:
    """Whether the user with the id `acting` may do this with the mailbox of the user with the id `mailbox`: it is
    the own one, or a right to it that has the scope, a `DelegateScope`, is in force now. Without an id nobody is
    meant."""
    if not acting or not mailbox:
        return False
    if acting == mailbox:
        return True
    found = work.run(_between, {"holder": acting, "mailbox": mailbox, "now": work.now}).scalar_one_or_none()
    return found is not None and scope in scopes_in(found)


def opened_by(work: Work, acting: str, scope: str) -> Sequence[str]:
    """The ids of the users whose mailboxes a user may open so: the own one first."""
    if not acting:
        return ()
    found: Sequence[Any] = work.run(_opened, {"holder": acting, "now": work.now}).all()
    return [acting, *(mailbox for mailbox, scopes in found if scope in scopes_in(scopes))]


def open_mailbox(call: Call, text: str, field: str, scope: DelegateScope) -> UserRow:
    """The user whose mailbox mail to this address reaches, for a caller who may open it; what the call changes
    from here on is noted as done for that user, where it is another one.

    Whether there is no such mailbox or the caller may not open it, the refusal is the same: nobody learns from it
    who is there. Raises `ItemRefused` naming `field`.
    """
    user = users.reached(call.work, fields.address(text, field))
    if user is None or not call.caller.in_person or not may_open(call.work, call.caller.user_id, user.id, scope):
        raise refused(USER_NOT_FOUND, field)
    act_for(call, user)
    return user


def act_for(call: Call, owner: UserRow) -> None:
    """Have the audit log say for whom the caller acts (behaviour.md section 7.4), if not for oneself."""
    call.work.acting_for = "" if owner.id == call.caller.user_id else owner.address


def ended(expires_at: datetime | None, now: datetime) -> bool:
    """Whether a right with this end is over."""
    return expires_at is not None and expires_at <= now
