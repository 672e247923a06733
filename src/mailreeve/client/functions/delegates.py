"""The functions of delegates. Made by tools/make_client.py."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

if TYPE_CHECKING:
    from mailreeve.client.aio.api import AsyncApi
    from mailreeve.client.api import Api


class DelegateAnswer(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={
        "email_address": "emailAddress",
        "delegate_id": "delegateId",
        "secure_id": "secureId",
        "delegate_address": "delegateAddress",
        "delegate_email_address": "delegateEmailAddress",
    },
):
    """A mailbox that a user may open, and the right's id, under every name that a client looks for. `scopes`
    and `expires` are ours.
    """

    id: str = ""
    email_address: str = ""
    name: str = ""
    source: str = ""
    delegate_id: str = ""
    secure_id: str = ""
    delegate_address: str = ""
    delegate_email_address: str = ""
    scopes: tuple[str, ...] = ()
    expires: str | None = None


class DelegateDone(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A right that is there now, or is gone now."""

    id: str = ""
    success: bool = False


class DelegatesAnswer(
    Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"delegate_users": "delegateUsers"}
):
    """The mailboxes that a user may open."""

    delegate_users: tuple[DelegateAnswer, ...] = ()


class DelegatesFunctions:
    """What can be asked about delegates."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def add_delegate_user(
        self,
        *,
        primary_address: str,
        delegate_address: str,
        scopes: Sequence[Literal["held", "lists", "archive", "send"]] | None = None,
        expires: str | None = None,
    ) -> DelegateDone:
        """Let the primary user open the delegate's mailbox."""
        return self._api.one_of(
            DelegateDone,
            "user/add-delegate-user",
            {
                "primaryAddress": primary_address,
                "delegateAddress": delegate_address,
                "scopes": scopes,
                "expires": expires,
            },
        )

    def find_delegate_users(
        self, *, primary_address: str, page_size: int | None = None
    ) -> Iterator[DelegatesAnswer]:
        """List the mailboxes that the primary user may open."""
        return self._api.every_of(
            DelegatesAnswer, "user/find-delegate-users", {"primaryAddress": primary_address}, page_size=page_size
        )

    def remove_delegate_user(self, *, id: str) -> DelegateDone:
        """End a delegate right."""
        return self._api.one_of(DelegateDone, "user/remove-delegate-user", {"id": id})


class AsyncDelegatesFunctions:
    """What can be asked about delegates."""

    def __init__(self, api: AsyncApi) -> None:
        self._api = api

    async def add_delegate_user(
        self,
        *,
        primary_address: str,
        delegate_address: str,
        scopes: Sequence[Literal["held", "lists", "archive", "send"]] | None = None,
        expires: str | None = None,
    ) -> DelegateDone:
        """Let the primary user open the delegate's mailbox."""
        return await self._api.one_of(
            DelegateDone,
            "user/add-delegate-user",
            {
                "primaryAddress": primary_address,
                "delegateAddress": delegate_address,
                "scopes": scopes,
                "expires": expires,
            },
        )

    def find_delegate_users(
        self, *, primary_address: str, page_size: int | None = None
    ) -> AsyncIterator[DelegatesAnswer]:
        """List the mailboxes that the primary user may open."""
        return self._api.every_of(
            DelegatesAnswer, "user/find-delegate-users", {"primaryAddress": primary_address}, page_size=page_size
        )

    async def remove_delegate_user(self, *, id: str) -> DelegateDone:
        """End a delegate right."""
        return await self._api.one_of(DelegateDone, "user/remove-delegate-user", {"id": id})
