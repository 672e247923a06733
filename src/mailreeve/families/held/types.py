"""The items and answers of the functions about held mail: those of the API (api.md section 3.11), and ours."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType, field

from mailreeve.families.held.rows import HeldGroup, HeldState
from mailreeve.policy.model.policies import ManagedAction
from mailreeve.wire.items import Prose


class HeldField(StrEnum):
    """Where a text is looked for."""

    ALL = "all"
    SUBJECT = "subject"
    SENDER = "sender"
    RECIPIENT = "recipient"
    REASON_CODE = "reason_code"
    SENDER_IP = "senderIP"


AnyField = Annotated[HeldField, Meta(extra={"also": {"reasonCode": "reason_code", "senderIp": "senderIP"}})]
"""A field as either version of the API spells it (api.md section 8)."""


class SearchBy(Struct, frozen=True, rename="camel"):
    """A text, in any case, that a field holds: of `reason_code` the reason, of `senderIP` the whole address."""

    field_name: AnyField = HeldField.ALL
    value: str | None = None


class HeldRoute(StrEnum):
    """The way of a message."""

    ALL = "all"
    INTERNAL = "internal"
    OUTBOUND = "outbound"
    INBOUND = "inbound"
    EXTERNAL = "external"


class FilterBy(Struct, frozen=True, rename="camel"):
    """What narrows a list further: `fieldName` is `route` or `heldGroup`, and `value` one of theirs. Either may
    also be a member of its own."""

    field_name: str | None = None
    value: str | None = None
    route: HeldRoute | None = None
    held_group: HeldGroup | None = None


class FindHeld(Struct, frozen=True, rename="camel", kw_only=True):
    """Which held messages are asked for: the caller's own, or with `admin` everybody's. `mailbox` is somebody
    else's whom the caller stands in for; `include_delegates` adds to the caller's own those of all of them.
    `start` and `end` bound when they came in."""

    admin: bool = False
    mailbox: str | None = None
    include_delegates: bool = False
    start: str | None = None
    end: str | None = None
    search_by: SearchBy | None = None
    filter_by: Sequence[FilterBy] = ()
    asked: bool = False


class HeldAddress(Struct, frozen=True, rename="camel"):
    """An address, and the name beside it."""

    email_address: str
    displayable_name: str = ""


class HeldMessage(Struct, frozen=True, rename="camel", kw_only=True):
    """A held message. `from_` and `to` are the envelope's, `…_header` the header's; `policy_info` what the policy
    is called that had it held; `expires` is when it is held no more. `asked_by` asks for its release, and
    `asked_why` says why. What the next hop did not take came back at `returned_at`, and `returned_why` is what it
    said."""

    id: str
    reason: str
    reason_id: str
    reason_code: str
    from_: HeldAddress = field(name="from")
    from_header: HeldAddress
    to: HeldAddress
    to_header: HeldAddress
    subject: str
    route: str
    has_attachments: bool
    size: int
    date_received: str
    policy_info: str
    expires: str
    held_group: HeldGroup
    sender_ip: str = field(name="senderIP")
    decision_id: str
    asked_by: str | UnsetType = UNSET
    asked_why: str | UnsetType = UNSET
    asked_at: str | UnsetType = UNSET
    returned_at: str | UnsetType = UNSET
    returned_why: str | UnsetType = UNSET


class ReleaseHeld(Struct, frozen=True):
    """A message to release. Clients send `action` and `reason` as well (clients.md), which say nothing more; the
    reason is kept."""

    id: str
    action: str | None = None
    reason: Prose | None = None


class ReleasedHeld(Struct, frozen=True):
    """A message that is on its way."""

    id: str
    release: bool = True


class RejectHeld(Struct, frozen=True, rename="camel"):
    """Messages to turn down, why, and whether their senders are told."""

    ids: Annotated[Sequence[str], Meta(min_length=1, max_length=100)]
    message: Prose | None = None
    notes: Prose | None = None
    reason_type: str | None = None
    notify: bool = False


class RejectedHeld(Struct, frozen=True):
    """A message that was turned down."""

    id: str
    reject: bool = True


class AllHeld(Struct, frozen=True):
    """Nothing is asked for."""


class HeldSummary(Struct, frozen=True, rename="camel"):
    """How many messages a policy had held."""

    policy_info: str
    number_of_items: int


class FindDecided(Struct, frozen=True, rename="camel"):
    """Which decisions are asked for: by when they were made."""

    start: str | None = None
    end: str | None = None


class DecidedHeld(Struct, frozen=True, rename="camel", kw_only=True):
    """What became of a message that was held. `operator` is who decided, empty where nobody did in time."""

    id: str
    state: HeldState
    operator: str
    reason: str
    decided: str
    from_: HeldAddress = field(name="from")
    to: HeldAddress
    subject: str
    policy_info: str
    date_received: str
    decision_id: str


class OneHeld(Struct, frozen=True):
    """One message."""

    id: str


class HeldAttachment(Struct, frozen=True):
    """An attachment of a message: its name, its type, and how many octets it has once it is decoded."""

    name: str
    type: str
    size: int


class HeldHeaderLine(Struct, frozen=True):
    """A field of a header, decoded."""

    name: str
    value: str


class ShownHeld(Struct, frozen=True, rename="camel", kw_only=True):
    """A message as it can be read without harm: its header, its plain text, and what is harmless of its HTML,
    which loads nothing. `is_cut` says that there is more of it than is shown."""

    id: str
    message: HeldMessage
    headers: Sequence[HeldHeaderLine]
    text: str
    html: str
    attachments: Sequence[HeldAttachment]
    is_cut: bool


class HeldAction(StrEnum):
    """What is decided about a held message."""

    RELEASE = "release"
    REJECT = "reject"


class DecideHeld(Struct, frozen=True, rename="camel", kw_only=True):
    """What to do with held messages: those of `ids`, or those that a search finds, the newest 100 of them.

    `sender` permits or blocks the sender of each for its recipient in the same step: the envelope's, or the author
    where that is null. What else there is stands as in `RejectHeld`.
    """

    action: HeldAction
    ids: Annotated[Sequence[str], Meta(max_length=100)] = ()
    search: FindHeld | None = None
    sender: ManagedAction | None = None
    message: Prose | None = None
    reason_type: str | None = None
    notify: bool = False


class DecidedNow(Struct, frozen=True, rename="camel"):
    """A message that was decided about. `error` and its `code` say why it was not, both empty where it was."""

    id: str
    to: str
    subject: str
    state: HeldState
    error: str = ""
    code: str = ""


class AskRelease(Struct, frozen=True):
    """A message whose release is asked for, and why."""

    id: str
    reason: Prose


class AskedRelease(Struct, frozen=True):
    """A message whose release is asked for, or not any more."""

    id: str
    asked: bool
