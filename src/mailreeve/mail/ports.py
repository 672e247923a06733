"""What must the assembly hand to a mail door? Policies, a place for the mail to go, a place for the records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from mailreeve.families.keeping.kept import Kept
from mailreeve.families.machinery.copies import Routed
from mailreeve.formats.addresses import Address, Sender
from mailreeve.formats.message import Content
from mailreeve.mail.client import Client
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.model.decisions import Stage
from mailreeve.policy.model.policy_types import SmtpReply


class PolicySource(Protocol):
    """Tells whose policies hold for a message. Called in a worker thread, so it may wait for the store."""

    def policies_for(self, recipient: Address, sender: Sender) -> PolicySet | None:
        """The policies in force now of the account that takes this mail.

        That is the account to which the recipient's domain is internal, or else the one to which the
        sender's is (the mail is outbound, and the relay rule decides whether it may go). None if
        neither domain is anybody's.
        """
        ...

    def all_policies(self) -> Sequence[PolicySet]:
        """The policies in force now of every account that this door serves, for the refusal at connect."""
        ...

    @property
    def at_hand(self) -> PoliciesAtHand:
        """The same answers where they are in memory, for the event loop."""
        ...


class PoliciesAtHand(Protocol):
    """What a `PolicySource` says, for whoever must not be held up. Each raises `WouldWait` instead of waiting for
    the store, and then nothing was done."""

    def policies_for(self, recipient: Address, sender: Sender) -> PolicySet | None:
        """As `PolicySource.policies_for`."""
        ...

    def all_policies(self) -> Sequence[PolicySet]:
        """As `PolicySource.all_policies`."""
        ...


class Recorder(Protocol):
    """Keeps what has to be kept of messages. Called in a worker thread."""

    def record(self, messages: Sequence[Kept]) -> Sequence[Exception | None]:
        """Keep it. All is durable when this returns: the 250 waits for it. The answer says of each message why
        nothing of it is kept, None where all is.

        Given none, it raises if it could keep none now.
        """
        ...


class Meter(Protocol):
    """Is told what mail doors do, from the event loop and from worker threads. Nothing waits for it."""

    def decided(self, stage: Stage, seconds: float) -> None:
        """A recipient, or all those of a content, was decided about in that time, policies looked up."""
        ...

    def answered(self, reply: str, seconds: float) -> None:
        """The content of a message got this reply, that time after it had come in."""
        ...

    def turned_away(self) -> None:
        """A client found no place."""
        ...


class _NoMeter:
    def decided(self, stage: Stage, seconds: float) -> None:
        pass

    def answered(self, reply: str, seconds: float) -> None:
        pass

    def turned_away(self) -> None:
        pass


UNMETERED: Final[Meter] = _NoMeter()


def is_taken(reply: SmtpReply | None) -> bool:
    """Whether this answer to a message says that the next hop has it."""
    return reply is None or reply.code < 400


class NextHopSession(Protocol):
    """Speaks with the next hop for one connection of ours. Its methods are called one at a time.

    None of them raises for anything that the next hop does: whatever goes wrong there is a reply
    of the 4xx kind.
    """

    def handed_in_by(self, client: Client) -> None:
        """From whom the next message comes, for a next hop that wants to know."""
        ...

    async def check(self, sender: Sender, recipient: Address, *, utf8: bool) -> SmtpReply | None:
        """Would the next hop take mail from `sender` for `recipient`? None, or its refusal.

        Asked again for the same message, it says the same, and does not ask the next hop twice.
        `utf8` tells that the message needs SMTPUTF8 (RFC 6531), as its sender declared.
        """
        ...

    async def deliver(
        self, sender: Sender, recipients: Sequence[Routed], content: Content, *, utf8: bool, envelope_id: str = ""
    ) -> Sequence[SmtpReply | None]:
        """Hand over one message, under this ENVID (RFC 3461) where the next hop knows it. For each recipient in
        order what the next hop said: None or a 250 once it is durable there, or the refusal. See `is_taken`."""
        ...

    async def reset(self) -> None:
        """The message is over, handed on or not: whoever was checked for it is not to get another."""
        ...

    async def aclose(self) -> None:
        """The connection is over."""
        ...


class NextHop(Protocol):
    """Where accepted mail goes."""

    def session(self) -> NextHopSession:
        """A session for one connection. Does not reach out yet."""
        ...
