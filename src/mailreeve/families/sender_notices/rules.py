"""May a sender be told what became of a message? One answer, with its reason; pure.

The envelope sender of a stranger's mail is whoever the stranger chose. A notice to such an address is mail that
somebody gets who wrote nothing (backscatter), and a server that sends it ends up on lists. So an address is told
only where the message is known to come from there.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

from msgspec import Struct

from mailreeve.formats.addresses import NullSender, Sender
from mailreeve.formats.message import Message

MOST_IN_A_DAY: Final = 5
"""Notices that one address gets in a day: more is a loop, or somebody's game."""

# Programs that read no answers, and lists that would send one to everybody (RFC 3834 section 2).
_PROGRAM: Final = re.compile(r"mailer-daemon|owner-.*|.*-owner|.*-request|.*-bounces?(?:[+=].*)?", re.IGNORECASE)
_BULK: Final = frozenset({"bulk", "list", "junk"})


class NoticeVerdict(StrEnum):
    """Whether a notice may be sent, and if not why."""

    SEND = "send"
    NO_SENDER = "no_sender"
    UNAUTHENTICATED = "unauthenticated"
    AUTOMATIC = "automatic"
    TOO_MANY = "too_many"


WORDS: Final = {
    NoticeVerdict.SEND: "the sender is told",
    NoticeVerdict.NO_SENDER: "the sender is not told: the message has the empty sender of bounces",
    NoticeVerdict.UNAUTHENTICATED: "the sender is not told: nothing proves that the message comes from there",
    NoticeVerdict.AUTOMATIC: "the sender is not told: a program or a mailing list sent the message",
    NoticeVerdict.TOO_MANY: f"the sender is not told: that address had {MOST_IN_A_DAY} notices within a day",
}
"""The verdicts for whoever asked for a notice."""


class NoticeFacts(Struct, frozen=True):
    """What is looked at. `is_proved` says that the message is known to come from the domain of the sender, as
    where a network of our own brought it for a domain of ours. `is_automatic` is what `automatic` says of the
    message; `lately` how many notices the address had within a day."""

    sender: Sender
    is_proved: bool
    is_automatic: bool
    lately: int


def verdict(facts: NoticeFacts) -> NoticeVerdict:
    """Whether the sender may be told."""
    if isinstance(facts.sender, NullSender):
        return NoticeVerdict.NO_SENDER
    if not facts.is_proved:
        return NoticeVerdict.UNAUTHENTICATED
    if facts.is_automatic or _PROGRAM.fullmatch(facts.sender.local):
        return NoticeVerdict.AUTOMATIC
    return NoticeVerdict.TOO_MANY if facts.lately >= MOST_IN_A_DAY else NoticeVerdict.SEND


MOST_REPORTS: Final = 50
"""Reports of mail that was not delivered that one address gets in a day. What fails beyond that is held."""


def report_verdict(facts: NoticeFacts) -> NoticeVerdict:
    """Whether the sender may have a report of mail that was not delivered. Programs and mailing lists may: their
    envelope sender is there for that, and the empty sender of a report ends the matter (RFC 3834 section 2)."""
    if isinstance(facts.sender, NullSender):
        return NoticeVerdict.NO_SENDER
    if not facts.is_proved:
        return NoticeVerdict.UNAUTHENTICATED
    return NoticeVerdict.TOO_MANY if facts.lately >= MOST_REPORTS else NoticeVerdict.SEND


def automatic(message: Message) -> bool:
    """Whether a program sent the message, or a mailing list, so that nobody may answer it by program (RFC 3834
    section 2)."""
    submitted = message.text("auto-submitted", 100).partition(";")[0].strip().lower()
    precedence = message.text("precedence", 20).strip().lower()
    is_of_list = any(next(message.named(name), None) is not None for name in ("list-id", "list-unsubscribe"))
    return submitted not in ("", "no") or precedence in _BULK or is_of_list
