"""What is the sender told? The SMTP replies of behaviour.md section 3.4, by cause.

The texts are those that bounce analysers know. A policy refusal is 5.7.1 (D-17, RFC 3463 section
3.8); the door appends the decision id.
"""

from __future__ import annotations

from typing import Final

from mailreeve.policy.index.matching import HEADER_FROM, Match
from mailreeve.policy.index.personal import EntryKind
from mailreeve.policy.model.decisions import SmtpReply
from mailreeve.policy.model.policies import BlockedSenderPolicy, FromPart

OPEN_RELAY: Final = SmtpReply(451, "4.7.1", "Open relay not allowed")
SENDER_ROUTED: Final = SmtpReply(550, "5.1.3", "Sender-routed addresses are not taken")
TOO_MANY_AUTHORS: Final = SmtpReply(554, "5.6.0", "Too many authors")
CANNOT_ALTER: Final = SmtpReply(554, "5.6.0", "An address in the message cannot be altered as policies ask")
INVALID_RECIPIENT: Final = SmtpReply(550, "5.1.1", "Invalid Recipient")
SOURCE_BLOCKED: Final = SmtpReply(421, "4.7.1", "Sender address blocked")

# The table has a second text for admin blocks, "Administrative prohibition - envelope blocked". It
# also stands for a hard SPF failure; ours says that a policy did it, and by which address.
ENVELOPE_BLOCKED: Final = SmtpReply(550, "5.7.1", "Envelope rejected - block policy for envelope from address")
HEADER_BLOCKED: Final = SmtpReply(
    550, "5.7.1", "Rejected by header-based Blocked Senders - block policy for header from"
)
PERSONAL_ADDRESS_BLOCKED: Final = SmtpReply(550, "5.7.1", "Envelope blocked - User Entry")
PERSONAL_DOMAIN_BLOCKED: Final = SmtpReply(550, "5.7.1", "Envelope blocked - User Domain Entry")
PERSONAL_HEADER_BLOCKED: Final = SmtpReply(
    550, "5.7.1", "Rejected by header-based manually Blocked Senders - block for manual block"
)


def blocked_reply(match: Match[BlockedSenderPolicy]) -> SmtpReply:
    """What is told of the refusal by a blocked sender policy."""
    if match.policy.relay_guard:
        return OPEN_RELAY
    return HEADER_BLOCKED if match.part is HEADER_FROM else ENVELOPE_BLOCKED


def personal_reply(kind: EntryKind, part: FromPart) -> SmtpReply:
    """What is told of the refusal by a personal entry."""
    if part is FromPart.HEADER_FROM:
        return PERSONAL_HEADER_BLOCKED
    return PERSONAL_ADDRESS_BLOCKED if kind.is_address else PERSONAL_DOMAIN_BLOCKED
