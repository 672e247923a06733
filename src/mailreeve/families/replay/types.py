"""The item and the answer of the replay endpoint. A file for the command line holds the same `draft`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

from msgspec import UNSET, Struct, UnsetType

from mailreeve.policy.replay.difference import Change


class Step(Struct, frozen=True):
    """One change of a draft: an endpoint, by its path without `/api/`, and its item.

    A text of the item that is `$n.member` stands for that member of the answer to step n, counted from 0: so a
    policy can name the set or group that an earlier step makes.
    """

    call: str
    item: dict[str, object]


class ReplayDraft(Struct, frozen=True):
    """A draft to replay, over what was recorded since then: a time in ISO 8601, or `7d`, `12h`, `30m` before now.
    Without `since` it is seven days. At most `most` messages are looked at, the newest first."""

    draft: list[Step]
    since: str = "7d"
    most: int | None = None


class CauseAnswer(Struct, frozen=True, omit_defaults=True, rename="camel"):
    """The policy, personal entry or definition that makes a difference. `step` is the step of the draft that
    touches it; one that the draft creates has no id yet."""

    type: str
    description: str
    id: str = ""
    step: int | None = None


class Named(Struct, frozen=True):
    """An address, and in how many of the messages it stands."""

    address: str
    count: int


class Fate(Struct, frozen=True, rename="camel"):
    """What becomes of a message: the reply, null where it is taken, which layer settled it, and who gets it.
    `held` is there, and true, where it is held."""

    smtp_reply: str | None
    layer: str
    spam_checks: str
    recipient: str
    held: bool | UnsetType = UNSET


class Example(Struct, frozen=True, rename="camel"):
    """One message that would fare differently. `header_from` is null where the header was never seen."""

    decision_id: str
    at: str
    sender: str
    recipient: str
    header_from: str | None
    source_ip: str
    before: Fate
    after: Fate


class Group(Struct, frozen=True, rename="camel"):
    """The messages that fare differently in one way because of one policy: how many, who wrote most of them to
    whom, and the newest of them. `cause` is null where nothing in particular made the difference, or too many
    different policies did. `more_senders` and `more_recipients` tell that there are more than were counted."""

    change: Change
    cause: CauseAnswer | None
    count: int
    senders: Sequence[Named]
    sender_count: int
    more_senders: bool
    recipients: Sequence[Named]
    recipient_count: int
    more_recipients: bool
    examples: Sequence[Example]


class WebChange(StrEnum):
    """How a web request would fare differently. One that passes otherwise is allowed by a list where nothing was
    said before, or the other way round."""

    NOW_BLOCKED = "nowBlocked"
    NO_LONGER_BLOCKED = "noLongerBlocked"
    PASSES_OTHERWISE = "passesOtherwise"


class WebExample(Struct, frozen=True, rename="camel"):
    """One web request that would fare differently, with the list and entry that would settle it."""

    decision_id: str
    at: str
    url: str
    user: str
    client: str
    change: WebChange
    policy: str
    entry: str


class WebReplay(Struct, frozen=True, rename="camel"):
    """What a draft would change for web requests: all that were blocked, and the sample of those that passed.
    `undetermined` are those of which only a part of the URL was kept."""

    looked_at: int
    differences: int
    changes: Mapping[WebChange, int]
    examples: Sequence[WebExample]
    undetermined: int
    truncated: bool
    why: str


class ReplayAnswer(Struct, frozen=True, rename="camel"):
    """What a draft would change. Messages that would fare as they do now are only counted, in `looked_at`.

    Of many `groups` the largest are told; `group_count` is how many there are. `since` and `until` bound what was
    looked at. `truncated` tells that there is more than was looked at, with `why` it ended; `undetermined` how
    many messages were refused before their header was seen and could be told apart by it alone; `unreadable` how
    many records could not be read. `warnings` are about the draft itself. `web` is there where the draft touches
    what web requests are decided by, and any are recorded.
    """

    looked_at: int
    differences: int
    changes: Mapping[Change, int]
    groups: Sequence[Group]
    group_count: int
    undetermined: int
    unreadable: int
    since: str
    until: str
    truncated: bool
    why: str
    warnings: Sequence[str]
    revision: int
    web: WebReplay | UnsetType = UNSET
