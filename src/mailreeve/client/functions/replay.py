"""The functions of replay. Made by tools/make_client.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct, field

if TYPE_CHECKING:
    from mailreeve.client.aio.api import AsyncApi
    from mailreeve.client.api import Api


class CauseAnswer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The policy, personal entry or definition that makes a difference. `step` is the step of the draft that
    touches it; one that the draft creates has no id yet.
    """

    type: str = ""
    description: str = ""
    id: str = ""
    step: int | None = None


class Example(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"decision_id": "decisionId", "header_from": "headerFrom", "source_ip": "sourceIp"},
):
    """One message that would fare differently. `header_from` is null where the header was never seen."""

    decision_id: str = ""
    at: str = ""
    sender: str = ""
    recipient: str = ""
    header_from: str | None = None
    source_ip: str = ""
    before: Fate = field(default_factory=lambda: Fate())
    after: Fate = field(default_factory=lambda: Fate())


class Fate(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"smtp_reply": "smtpReply", "spam_checks": "spamChecks"},
):
    """What becomes of a message: the reply, null where it is taken, which layer settled it, and who gets it.
    `held` is there, and true, where it is held.
    """

    smtp_reply: str | None = None
    layer: str = ""
    spam_checks: str = ""
    recipient: str = ""
    held: bool | None = None


class Group(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={
        "sender_count": "senderCount",
        "more_senders": "moreSenders",
        "recipient_count": "recipientCount",
        "more_recipients": "moreRecipients",
    },
):
    """The messages that fare differently in one way because of one policy: how many, who wrote most of them to
    whom, and the newest of them. `cause` is null where nothing in particular made the difference, or too
    many different policies did. `more_senders` and `more_recipients` tell that there are more than were
    counted.
    """

    change: str = ""
    cause: CauseAnswer | None = None
    count: int = 0
    senders: tuple[Named, ...] = ()
    sender_count: int = 0
    more_senders: bool = False
    recipients: tuple[Named, ...] = ()
    recipient_count: int = 0
    more_recipients: bool = False
    examples: tuple[Example, ...] = ()


class Named(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An address, and in how many of the messages it stands."""

    address: str = ""
    count: int = 0


class ReplayAnswer(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"looked_at": "lookedAt", "group_count": "groupCount"},
):
    """What a draft would change. Messages that would fare as they do now are only counted, in `looked_at`. Of
    many `groups` the largest are told; `group_count` is how many there are. `since` and `until` bound what
    was looked at. `truncated` tells that there is more than was looked at, with `why` it ended;
    `undetermined` how many messages were refused before their header was seen and could be told apart by it
    alone; `unreadable` how many records could not be read. `warnings` are about the draft itself. `web` is
    there where the draft touches what web requests are decided by, and any are recorded.
    """

    looked_at: int = 0
    differences: int = 0
    changes: Mapping[str, int] = field(default_factory=dict)
    groups: tuple[Group, ...] = ()
    group_count: int = 0
    undetermined: int = 0
    unreadable: int = 0
    since: str = ""
    until: str = ""
    truncated: bool = False
    why: str = ""
    warnings: tuple[str, ...] = ()
    revision: int = 0
    web: WebReplay | None = None


class Step(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One change of a draft: an endpoint, by its path without `/api/`, and its item. A text of the item that
    is `$n.member` stands for that member of the answer to step n, counted from 0: so a policy can name the
    set or group that an earlier step makes.
    """

    call: str
    item: Mapping[str, object]


class WebExample(Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"decision_id": "decisionId"}):
    """One web request that would fare differently, with the list and entry that would settle it."""

    decision_id: str = ""
    at: str = ""
    url: str = ""
    user: str = ""
    client: str = ""
    change: str = ""
    policy: str = ""
    entry: str = ""


class WebReplay(Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"looked_at": "lookedAt"}):
    """What a draft would change for web requests: all that were blocked, and the sample of those that passed.
    `undetermined` are those of which only a part of the URL was kept.
    """

    looked_at: int = 0
    differences: int = 0
    changes: Mapping[str, int] = field(default_factory=dict)
    examples: tuple[WebExample, ...] = ()
    undetermined: int = 0
    truncated: bool = False
    why: str = ""


class ReplayFunctions:
    """What can be asked about replay."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def replay_draft(
        self, *, draft: Sequence[Step | Mapping[str, object]], since: str | None = None, most: int | None = None
    ) -> ReplayAnswer:
        """Say what a draft of changes would have done to the messages of the past days. Nothing is changed."""
        return self._api.one_of(ReplayAnswer, "ext/replay-draft", {"draft": draft, "since": since, "most": most})


class AsyncReplayFunctions:
    """What can be asked about replay."""

    def __init__(self, api: AsyncApi) -> None:
        self._api = api

    async def replay_draft(
        self, *, draft: Sequence[Step | Mapping[str, object]], since: str | None = None, most: int | None = None
    ) -> ReplayAnswer:
        """Say what a draft of changes would have done to the messages of the past days. Nothing is changed."""
        return await self._api.one_of(
            ReplayAnswer, "ext/replay-draft", {"draft": draft, "since": since, "most": most}
        )
