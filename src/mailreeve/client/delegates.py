"""Delegate rights: who may open whose mailbox."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from mailreeve.client.api import only
from mailreeve.client.functions.delegates import DelegatesFunctions

_ROOM: Final = "user/"


class DelegateRight(Struct, frozen=True):
    """A right that was given."""

    id: str
    success: bool


class DelegateUser(Struct, frozen=True, rename="camel"):
    """A mailbox that a user may open. `id` is the right's, `scopes` are what of it, `expires` is when that ends,
    empty where it does not."""

    id: str
    email_address: str
    name: str = ""
    source: str = ""
    scopes: list[str] = []
    expires: str = ""


class _Found(Struct, frozen=True, rename="camel"):
    delegate_users: list[DelegateUser] = []


class Delegates(DelegatesFunctions):
    """The delegate rights of the account's users."""

    def add(
        self, holder: str, mailbox: str, *, scopes: Sequence[str] = (), expires: str | None = None
    ) -> DelegateRight:
        """Let `holder` open `mailbox`; both are addresses. On the wire they are `primaryAddress` and
        `delegateAddress`: the primary address is the one that gains access. Without `scopes` and `expires` it
        opens all but sending, for good, or stays as it is."""
        item: dict[str, object] = {"primaryAddress": holder, "delegateAddress": mailbox}
        item |= {"scopes": list(scopes)} if scopes else {}
        item |= {} if expires is None else {"expires": expires}
        return only(self._api.call_for(DelegateRight, _ROOM + "add-delegate-user", item))

    def find(self, holder: str) -> list[DelegateUser]:
        """The mailboxes that `holder` may open."""
        item = {"primaryAddress": holder}
        rows = self._api.call_for(_Found, _ROOM + "find-delegate-users", item)
        return [user for row in rows for user in row.delegate_users]

    def remove(self, right_id: str) -> None:
        """Take a right away."""
        self._api.call(_ROOM + "remove-delegate-user", {"id": right_id})
