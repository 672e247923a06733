"""The functions of managed senders. Made by tools/make_client.py."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

if TYPE_CHECKING:
    from mailreeve.client.aio.api import AsyncApi
    from mailreeve.client.api import Api


class EntryAnswer(
    Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"set_by": "setBy", "set_at": "setAt"}
):
    """An entry of a personal list as it is kept. `to` is whose list it is in; `set_by` and `set_at` say who
    had it be as it is, and when.
    """

    id: str = ""
    sender: str = ""
    to: str = ""
    type: str = ""
    reason: str = ""
    set_by: str = ""
    set_at: str = ""
    created: str = ""
    state: str = ""
    expires: str | None = None


class ManagedSenderAnswer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An entry of a personal list. `sender` and `to` are repeated as they came. `reason` and `expires` are
    there if the entry has them.
    """

    id: str = ""
    sender: str = ""
    to: str = ""
    type: str = ""
    reason: str | None = None
    expires: str | None = None


class ManagedSendersFunctions:
    """What can be asked about managed senders."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def permit_or_block_sender(
        self,
        *,
        sender: str,
        to: str,
        action: Literal["permit", "block"],
        reason: str | None = None,
        expires: str | None = None,
    ) -> ManagedSenderAnswer:
        """Permit or block a sender for one recipient."""
        return self._api.one_of(
            ManagedSenderAnswer,
            "managedsender/permit-or-block-sender",
            {"sender": sender, "to": to, "action": action, "reason": reason, "expires": expires},
        )

    def get_managed_senders(
        self,
        *,
        to: str | None = None,
        sender: str | None = None,
        type: Literal["permit", "block", "auto"] | None = None,
        text: str | None = None,
        state: Literal["active", "expired"] | None = None,
        page_size: int | None = None,
    ) -> Iterator[EntryAnswer]:
        """List the entries of personal lists, or those that are asked for."""
        return self._api.every_of(
            EntryAnswer,
            "ext/get-managed-senders",
            {"to": to, "sender": sender, "type": type, "text": text, "state": state},
            page_size=page_size,
        )

    def remove_managed_sender(
        self, *, id: str | None = None, to: str | None = None, sender: str | None = None
    ) -> ManagedSenderAnswer:
        """Remove an entry of a personal list, by its id or by recipient and sender."""
        return self._api.one_of(
            ManagedSenderAnswer, "ext/remove-managed-sender", {"id": id, "to": to, "sender": sender}
        )


class AsyncManagedSendersFunctions:
    """What can be asked about managed senders."""

    def __init__(self, api: AsyncApi) -> None:
        self._api = api

    async def permit_or_block_sender(
        self,
        *,
        sender: str,
        to: str,
        action: Literal["permit", "block"],
        reason: str | None = None,
        expires: str | None = None,
    ) -> ManagedSenderAnswer:
        """Permit or block a sender for one recipient."""
        return await self._api.one_of(
            ManagedSenderAnswer,
            "managedsender/permit-or-block-sender",
            {"sender": sender, "to": to, "action": action, "reason": reason, "expires": expires},
        )

    def get_managed_senders(
        self,
        *,
        to: str | None = None,
        sender: str | None = None,
        type: Literal["permit", "block", "auto"] | None = None,
        text: str | None = None,
        state: Literal["active", "expired"] | None = None,
        page_size: int | None = None,
    ) -> AsyncIterator[EntryAnswer]:
        """List the entries of personal lists, or those that are asked for."""
        return self._api.every_of(
            EntryAnswer,
            "ext/get-managed-senders",
            {"to": to, "sender": sender, "type": type, "text": text, "state": state},
            page_size=page_size,
        )

    async def remove_managed_sender(
        self, *, id: str | None = None, to: str | None = None, sender: str | None = None
    ) -> ManagedSenderAnswer:
        """Remove an entry of a personal list, by its id or by recipient and sender."""
        return await self._api.one_of(
            ManagedSenderAnswer, "ext/remove-managed-sender", {"id": id, "to": to, "sender": sender}
        )
