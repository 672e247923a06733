"""The functions of digest. Made by tools/make_client.py."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

if TYPE_CHECKING:
    from mailreeve.client.aio.api import AsyncApi
    from mailreeve.client.api import Api


class DigestAnswer(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"time_zone": "timeZone", "group_id": "groupId", "public_url": "publicUrl"},
):
    """The digest as it is. `next` is when one is due next, there if it is on; `asked` when somebody asked for
    one that was not yet sent. `publicUrl` is what its links begin with, empty where that is not set.
    """

    enabled: bool = False
    time_zone: str = ""
    times: tuple[str, ...] = ()
    weekdays: tuple[str, ...] = ()
    group_id: str = ""
    causes: tuple[str, ...] = ()
    sender: str = ""
    public_url: str = ""
    next: str | None = None
    asked: str | None = None


class SendingDigest(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A digest was asked for, at this time; a server sends it at once. `to` is the user's primary address,
    where it is for one.
    """

    asked: str = ""
    to: str | None = None


class DigestFunctions:
    """What can be asked about digest."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def get_digest(self) -> DigestAnswer:
        """Say when held messages are told to their recipients by mail, and to whom."""
        return self._api.one_of(DigestAnswer, "ext/get-digest", {})

    def set_digest(
        self,
        *,
        enabled: bool | None = None,
        time_zone: str | None = None,
        times: Sequence[str] | None = None,
        weekdays: Sequence[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]] | None = None,
        group_id: str | None = None,
        causes: Sequence[
            Literal[
                "relay",
                "recipient_validation",
                "blocked_senders",
                "permitted_senders",
                "managed_senders",
                "anti_spoofing",
                "message_limits",
                "virus",
                "malformed",
                "spam",
                "default",
            ]
        ]
        | None = None,
        sender: str | None = None,
    ) -> DigestAnswer:
        """Say when held messages are to be told to their recipients by mail, and to whom."""
        return self._api.one_of(
            DigestAnswer,
            "ext/set-digest",
            {
                "enabled": enabled,
                "timeZone": time_zone,
                "times": times,
                "weekdays": weekdays,
                "groupId": group_id,
                "causes": causes,
                "sender": sender,
            },
        )

    def send_digest(self, *, to: str | None = None) -> SendingDigest:
        """Have a digest of what is new sent at once, to one user or to all whom it is for."""
        return self._api.one_of(SendingDigest, "ext/send-digest", {"to": to})


class AsyncDigestFunctions:
    """What can be asked about digest."""

    def __init__(self, api: AsyncApi) -> None:
        self._api = api

    async def get_digest(self) -> DigestAnswer:
        """Say when held messages are told to their recipients by mail, and to whom."""
        return await self._api.one_of(DigestAnswer, "ext/get-digest", {})

    async def set_digest(
        self,
        *,
        enabled: bool | None = None,
        time_zone: str | None = None,
        times: Sequence[str] | None = None,
        weekdays: Sequence[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]] | None = None,
        group_id: str | None = None,
        causes: Sequence[
            Literal[
                "relay",
                "recipient_validation",
                "blocked_senders",
                "permitted_senders",
                "managed_senders",
                "anti_spoofing",
                "message_limits",
                "virus",
                "malformed",
                "spam",
                "default",
            ]
        ]
        | None = None,
        sender: str | None = None,
    ) -> DigestAnswer:
        """Say when held messages are to be told to their recipients by mail, and to whom."""
        return await self._api.one_of(
            DigestAnswer,
            "ext/set-digest",
            {
                "enabled": enabled,
                "timeZone": time_zone,
                "times": times,
                "weekdays": weekdays,
                "groupId": group_id,
                "causes": causes,
                "sender": sender,
            },
        )

    async def send_digest(self, *, to: str | None = None) -> SendingDigest:
        """Have a digest of what is new sent at once, to one user or to all whom it is for."""
        return await self._api.one_of(SendingDigest, "ext/send-digest", {"to": to})
