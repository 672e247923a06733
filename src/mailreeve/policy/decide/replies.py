"""What is the sender told? The SMTP replies of behaviour.md section 3.4, by cause.

Those of types of policy stand in the types' rows (`policy_types.Refusals`), the others here. The door appends the
decision id.
"""

from __future__ import annotations

from typing import Final

from mailreeve.policy.index.matching import HEADER_FROM, Match
from mailreeve.policy.index.personal import EntryKind
from mailreeve.policy.model.policies import BlockedSenderPolicy, FromPart
from mailreeve.policy.model.policy_types import PolicyType, SmtpReply, refusals_of

OPEN_RELAY: Final = SmtpReply(451, "4.7.1", "Open relay not allowed")
SENDER_ROUTED: Final = SmtpReply(550, "5.1.3", "Sender-routed addresses are not taken")
TOO_MANY_AUTHORS: Final = SmtpReply(554, "5.6.0", "Too many authors")
CANNOT_ALTER: Final = SmtpReply(554, "5.6.0", "An address in the message cannot be altered as policies ask")
INVALID_RECIPIENT: Final = SmtpReply(550, "5.1.1", "Invalid Recipient")
VIRUS: Final = SmtpReply(550, "5.7.1", "Message refused - virus found")
MALFORMED: Final = SmtpReply(550, "5.6.0", "Message refused - malformed")
SPAM: Final = SmtpReply(550, "5.7.1", "Message refused - taken for spam")
GREYLISTED: Final = SmtpReply(451, "4.7.1", "Greylisted, try again later")
SOURCE_BLOCKED: Final = SmtpReply(421, "4.7.1", "Sender address blocked")

_BLOCKED: Final = refusals_of(PolicyType.BLOCKED_SENDERS)
_PERSONAL: Final = refusals_of(PolicyType.MANAGED_SENDERS)


def blocked_reply(match: Match[BlockedSenderPolicy]) -> SmtpReply:
    """What is told of the refusal by a blocked sender policy."""
    if match.policy.relay_guard:
        return OPEN_RELAY
    return _BLOCKED.header if match.part is HEADER_FROM else _BLOCKED.envelope


def personal_reply(kind: EntryKind, part: FromPart) -> SmtpReply:
    """What is told of the refusal by a personal entry."""
    if part is FromPart.HEADER_FROM:
        return _PERSONAL.header
    return _PERSONAL.envelope if kind.is_address else _PERSONAL.envelope_domain
