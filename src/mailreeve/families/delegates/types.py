"""The items and answers of the delegate endpoints (api.md section 3.5).

`primaryAddress` is the user who gains access, `delegateAddress` the one whose mailbox becomes readable: the
primary user can open the delegate's mailbox. In ordinary speech it is the other way round.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from msgspec import UNSET, Struct, UnsetType

from mailreeve.families.directory.users.mailboxes import DelegateScope
from mailreeve.wire.items import longest


class AddDelegate(Struct, frozen=True, rename="camel"):
    """A right to create: `primary_address` may open the mailbox of `delegate_address`. `scopes` and `expires` are
    ours: what of the mailbox it opens, by default all but sending, and when that ends."""

    primary_address: str
    delegate_address: str
    scopes: Annotated[list[DelegateScope], longest(len(DelegateScope))] | None = None
    expires: str | None = None


class FindDelegates(Struct, frozen=True, rename="camel"):
    """Whose rights to list."""

    primary_address: str


class OneDelegate(Struct, frozen=True):
    """One right, by id."""

    id: str


class DelegateDone(Struct, frozen=True):
    """A right that is there now, or is gone now."""

    id: str
    success: bool = True


class DelegateAnswer(Struct, frozen=True, rename="camel"):
    """A mailbox that a user may open, and the right's id, under every name that a client looks for. `scopes` and
    `expires` are ours."""

    id: str
    email_address: str
    name: str
    source: str
    delegate_id: str
    secure_id: str
    delegate_address: str
    delegate_email_address: str
    scopes: Sequence[DelegateScope]
    expires: str | UnsetType = UNSET


class DelegatesAnswer(Struct, frozen=True, rename="camel"):
    """The mailboxes that a user may open."""

    delegate_users: Sequence[DelegateAnswer]
