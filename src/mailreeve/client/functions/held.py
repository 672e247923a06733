"""The functions of held. Made by tools/make_client.py."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from msgspec import Struct, field

if TYPE_CHECKING:
    from mailreeve.client.aio.api import AsyncApi
    from mailreeve.client.api import Api


class AskedRelease(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A message whose release is asked for, or not any more."""

    id: str = ""
    asked: bool = False


class DecidedHeld(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={
        "from_": "from",
        "policy_info": "policyInfo",
        "date_received": "dateReceived",
        "decision_id": "decisionId",
    },
):
    """What became of a message that was held. `operator` is who decided, empty where nobody did in time."""

    id: str = ""
    state: str = ""
    operator: str = ""
    reason: str = ""
    decided: str = ""
    from_: HeldAddress = field(default_factory=lambda: HeldAddress())
    to: HeldAddress = field(default_factory=lambda: HeldAddress())
    subject: str = ""
    policy_info: str = ""
    date_received: str = ""
    decision_id: str = ""


class DecidedNow(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A message that was decided about. `error` and its `code` say why it was not, both empty where it was."""

    id: str = ""
    to: str = ""
    subject: str = ""
    state: str = ""
    error: str = ""
    code: str = ""


class FilterBy(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"field_name": "fieldName", "held_group": "heldGroup"},
):
    """What narrows a list further: `fieldName` is `route` or `heldGroup`, and `value` one of theirs. Either
    may also be a member of its own.
    """

    field_name: str | None = None
    value: str | None = None
    route: Literal["all", "internal", "outbound", "inbound", "external"] | None = None
    held_group: Literal["user", "moderator", "administrator"] | None = None


class FindHeld(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"include_delegates": "includeDelegates", "search_by": "searchBy", "filter_by": "filterBy"},
):
    """Which held messages are asked for: the caller's own, or with `admin` everybody's. `mailbox` is somebody
    else's whom the caller stands in for; `include_delegates` adds to the caller's own those of all of them.
    `start` and `end` bound when they came in.
    """

    admin: bool | None = None
    mailbox: str | None = None
    include_delegates: bool | None = None
    start: str | None = None
    end: str | None = None
    search_by: SearchBy | Mapping[str, object] | None = None
    filter_by: Sequence[FilterBy | Mapping[str, object]] | None = None
    asked: bool | None = None


class HeldAddress(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"email_address": "emailAddress", "displayable_name": "displayableName"},
):
    """An address, and the name beside it."""

    email_address: str = ""
    displayable_name: str = ""


class HeldAttachment(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An attachment of a message: its name, its type, and how many octets it has once it is decoded."""

    name: str = ""
    type: str = ""
    size: int = 0


class HeldHeaderLine(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A field of a header, decoded."""

    name: str = ""
    value: str = ""


class HeldMessage(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={
        "reason_id": "reasonId",
        "reason_code": "reasonCode",
        "from_": "from",
        "from_header": "fromHeader",
        "to_header": "toHeader",
        "has_attachments": "hasAttachments",
        "date_received": "dateReceived",
        "policy_info": "policyInfo",
        "held_group": "heldGroup",
        "sender_ip": "senderIP",
        "decision_id": "decisionId",
        "asked_by": "askedBy",
        "asked_why": "askedWhy",
        "asked_at": "askedAt",
        "returned_at": "returnedAt",
        "returned_why": "returnedWhy",
    },
):
    """A held message. `from_` and `to` are the envelope's, `…_header` the header's; `policy_info` what the
    policy is called that had it held; `expires` is when it is held no more. `asked_by` asks for its
    release, and `asked_why` says why. What the next hop did not take came back at `returned_at`, and
    `returned_why` is what it said.
    """

    id: str = ""
    reason: str = ""
    reason_id: str = ""
    reason_code: str = ""
    from_: HeldAddress = field(default_factory=lambda: HeldAddress())
    from_header: HeldAddress = field(default_factory=lambda: HeldAddress())
    to: HeldAddress = field(default_factory=lambda: HeldAddress())
    to_header: HeldAddress = field(default_factory=lambda: HeldAddress())
    subject: str = ""
    route: str = ""
    has_attachments: bool = False
    size: int = 0
    date_received: str = ""
    policy_info: str = ""
    expires: str = ""
    held_group: str = ""
    sender_ip: str = ""
    decision_id: str = ""
    asked_by: str | None = None
    asked_why: str | None = None
    asked_at: str | None = None
    returned_at: str | None = None
    returned_why: str | None = None


class HeldSummary(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"policy_info": "policyInfo", "number_of_items": "numberOfItems"},
):
    """How many messages a policy had held."""

    policy_info: str = ""
    number_of_items: int = 0


class RejectedHeld(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A message that was turned down."""

    id: str = ""
    reject: bool = False


class ReleasedHeld(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A message that is on its way."""

    id: str = ""
    release: bool = False


class SearchBy(Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"field_name": "fieldName"}):
    """A text, in any case, that a field holds: of `reason_code` the reason, of `senderIP` the whole address."""

    field_name: Literal["all", "subject", "sender", "recipient", "reason_code", "senderIP"] | None = None
    value: str | None = None


class ShownHeld(Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"is_cut": "isCut"}):
    """A message as it can be read without harm: its header, its plain text, and what is harmless of its HTML,
    which loads nothing. `is_cut` says that there is more of it than is shown.
    """

    id: str = ""
    message: HeldMessage = field(default_factory=lambda: HeldMessage())
    headers: tuple[HeldHeaderLine, ...] = ()
    text: str = ""
    html: str = ""
    attachments: tuple[HeldAttachment, ...] = ()
    is_cut: bool = False


class HeldFunctions:
    """What can be asked about held."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def get_hold_message_list(
        self,
        *,
        admin: bool | None = None,
        mailbox: str | None = None,
        include_delegates: bool | None = None,
        start: str | None = None,
        end: str | None = None,
        search_by: SearchBy | Mapping[str, object] | None = None,
        filter_by: Sequence[FilterBy | Mapping[str, object]] | None = None,
        asked: bool | None = None,
        page_size: int | None = None,
    ) -> Iterator[HeldMessage]:
        """List held messages, the newest first: the caller's own, or everybody's."""
        return self._api.every_of(
            HeldMessage,
            "gateway/get-hold-message-list",
            {
                "admin": admin,
                "mailbox": mailbox,
                "includeDelegates": include_delegates,
                "start": start,
                "end": end,
                "searchBy": search_by,
                "filterBy": filter_by,
                "asked": asked,
            },
            page_size=page_size,
        )

    def hold_release(self, *, id: str, action: str | None = None, reason: str | None = None) -> ReleasedHeld:
        """Hand a held message on to its recipient."""
        return self._api.one_of(
            ReleasedHeld, "gateway/hold-release", {"id": id, "action": action, "reason": reason}
        )

    def hold_reject(
        self,
        *,
        ids: Sequence[str],
        message: str | None = None,
        notes: str | None = None,
        reason_type: str | None = None,
        notify: bool | None = None,
    ) -> list[RejectedHeld]:
        """Turn held messages down: nobody gets them."""
        return self._api.all_of(
            RejectedHeld,
            "gateway/hold-reject",
            {"ids": ids, "message": message, "notes": notes, "reasonType": reason_type, "notify": notify},
        )

    def get_hold_summary_list(self) -> list[HeldSummary]:
        """Count held messages by the policy that had them held."""
        return self._api.all_of(HeldSummary, "gateway/get-hold-summary-list", {})

    def get_held_release_logs(
        self, *, start: str | None = None, end: str | None = None, page_size: int | None = None
    ) -> Iterator[DecidedHeld]:
        """List what became of messages that were held: released, turned down, or expired."""
        return self._api.every_of(
            DecidedHeld, "gateway/get-held-release-logs", {"start": start, "end": end}, page_size=page_size
        )

    def show_held_message(self, *, id: str) -> ShownHeld:
        """Show what a held message says, without its scripts and images."""
        return self._api.one_of(ShownHeld, "ext/show-held-message", {"id": id})

    def decide_held_messages(
        self,
        *,
        action: Literal["release", "reject"],
        ids: Sequence[str] | None = None,
        search: FindHeld | Mapping[str, object] | None = None,
        sender: Literal["permit", "block"] | None = None,
        message: str | None = None,
        reason_type: str | None = None,
        notify: bool | None = None,
    ) -> list[DecidedNow]:
        """Release or turn down many held messages, by ids or by a search, and permit or block their senders."""
        return self._api.all_of(
            DecidedNow,
            "ext/decide-held-messages",
            {
                "action": action,
                "ids": ids,
                "search": search,
                "sender": sender,
                "message": message,
                "reasonType": reason_type,
                "notify": notify,
            },
        )

    def ask_held_release(self, *, id: str, reason: str) -> AskedRelease:
        """Ask those who may for the release of a held message."""
        return self._api.one_of(AskedRelease, "ext/ask-held-release", {"id": id, "reason": reason})

    def decline_held_release(self, *, id: str) -> AskedRelease:
        """Leave a message held whose release was asked for."""
        return self._api.one_of(AskedRelease, "ext/decline-held-release", {"id": id})


class AsyncHeldFunctions:
    """What can be asked about held."""

    def __init__(self, api: AsyncApi) -> None:
        self._api = api

    def get_hold_message_list(
        self,
        *,
        admin: bool | None = None,
        mailbox: str | None = None,
        include_delegates: bool | None = None,
        start: str | None = None,
        end: str | None = None,
        search_by: SearchBy | Mapping[str, object] | None = None,
        filter_by: Sequence[FilterBy | Mapping[str, object]] | None = None,
        asked: bool | None = None,
        page_size: int | None = None,
    ) -> AsyncIterator[HeldMessage]:
        """List held messages, the newest first: the caller's own, or everybody's."""
        return self._api.every_of(
            HeldMessage,
            "gateway/get-hold-message-list",
            {
                "admin": admin,
                "mailbox": mailbox,
                "includeDelegates": include_delegates,
                "start": start,
                "end": end,
                "searchBy": search_by,
                "filterBy": filter_by,
                "asked": asked,
            },
            page_size=page_size,
        )

    async def hold_release(self, *, id: str, action: str | None = None, reason: str | None = None) -> ReleasedHeld:
        """Hand a held message on to its recipient."""
        return await self._api.one_of(
            ReleasedHeld, "gateway/hold-release", {"id": id, "action": action, "reason": reason}
        )

    async def hold_reject(
        self,
        *,
        ids: Sequence[str],
        message: str | None = None,
        notes: str | None = None,
        reason_type: str | None = None,
        notify: bool | None = None,
    ) -> list[RejectedHeld]:
        """Turn held messages down: nobody gets them."""
        return await self._api.all_of(
            RejectedHeld,
            "gateway/hold-reject",
            {"ids": ids, "message": message, "notes": notes, "reasonType": reason_type, "notify": notify},
        )

    async def get_hold_summary_list(self) -> list[HeldSummary]:
        """Count held messages by the policy that had them held."""
        return await self._api.all_of(HeldSummary, "gateway/get-hold-summary-list", {})

    def get_held_release_logs(
        self, *, start: str | None = None, end: str | None = None, page_size: int | None = None
    ) -> AsyncIterator[DecidedHeld]:
        """List what became of messages that were held: released, turned down, or expired."""
        return self._api.every_of(
            DecidedHeld, "gateway/get-held-release-logs", {"start": start, "end": end}, page_size=page_size
        )

    async def show_held_message(self, *, id: str) -> ShownHeld:
        """Show what a held message says, without its scripts and images."""
        return await self._api.one_of(ShownHeld, "ext/show-held-message", {"id": id})

    async def decide_held_messages(
        self,
        *,
        action: Literal["release", "reject"],
        ids: Sequence[str] | None = None,
        search: FindHeld | Mapping[str, object] | None = None,
        sender: Literal["permit", "block"] | None = None,
        message: str | None = None,
        reason_type: str | None = None,
        notify: bool | None = None,
    ) -> list[DecidedNow]:
        """Release or turn down many held messages, by ids or by a search, and permit or block their senders."""
        return await self._api.all_of(
            DecidedNow,
            "ext/decide-held-messages",
            {
                "action": action,
                "ids": ids,
                "search": search,
                "sender": sender,
                "message": message,
                "reasonType": reason_type,
                "notify": notify,
            },
        )

    async def ask_held_release(self, *, id: str, reason: str) -> AskedRelease:
        """Ask those who may for the release of a held message."""
        return await self._api.one_of(AskedRelease, "ext/ask-held-release", {"id": id, "reason": reason})

    async def decline_held_release(self, *, id: str) -> AskedRelease:
        """Leave a message held whose release was asked for."""
        return await self._api.one_of(AskedRelease, "ext/decline-held-release", {"id": id})
