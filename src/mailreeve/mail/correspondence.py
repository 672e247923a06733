"""Is a message a letter that a user wrote to somebody outside? Then answers to it are expected (auto allow).

What a program sends on somebody's behalf is none: auto-responses and bulk mail (behaviour.md section 4.4).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from mailreeve.families.managed_senders.auto_allow import Correspondence
from mailreeve.families.tracking.outcomes import MAX_MESSAGE_ID
from mailreeve.formats.addresses import Address
from mailreeve.formats.authors import plain_address
from mailreeve.formats.message import Message
from mailreeve.mail.outcomes import Recipient
from mailreeve.policy.model.identities import Identities

MOST_ANSWERED: Final = 20
"""Message-IDs that are looked at: the one that a message answers stands first or last, older ones between them."""

_BULK: Final = frozenset({"bulk", "junk", "list", "auto_reply"})
_MACHINE: Final = frozenset(
    {
        "x-auto-response-suppress",  # asks that nothing answers by itself: a program wrote it
        "x-autoreply",
        "x-autorespond",
        "list-id",  # RFC 2919
        "list-unsubscribe",  # RFC 2369
        "feedback-id",
    }
)
_MESSAGE_ID: Final = re.compile(rf"<([^<>\s]{{1,{MAX_MESSAGE_ID}}})>")


def correspondence(message: Message, recipients: Sequence[Recipient]) -> Correspondence | None:
    """What the message says of whom its user writes to; None where it is from no user, goes to nobody outside, or
    is none that a person wrote."""
    outside = [one for one in recipients if not one.policies.identities.is_internal(one.address)]
    if not outside:
        return None
    sender, policies = outside[0].facts.sender, outside[0].policies
    # The null sender writes bounces and receipts.
    if not isinstance(sender, Address) or policies.identities.user(sender) is None or is_automatic(message):
        return None
    to = tuple(one.address for one in outside)
    owner = policies.identities.person(sender)
    login = outside[0].login
    unproved = "" if not login or _is(policies.identities, login, owner) else login
    return Correspondence(policies.account_id, owner, to, answered(message), unproved)


def _is(identities: Identities, login: str, owner: str) -> bool:
    """Whether who signed in under this name is plainly the user with this key."""
    address = plain_address(login)
    return address is not None and identities.user(address) is not None and identities.person(address) == owner


def is_automatic(message: Message) -> bool:
    """Whether a program sent it: an auto-response, or one copy of many."""
    for field in message.fields:
        if field.name in _MACHINE:
            return True
        if field.name == "auto-submitted":
            if field.value.partition(";")[0].strip().lower() != "no":
                return True
        elif field.name == "precedence" and field.value.strip().lower() in _BULK:
            return True
    return False


def answered(message: Message) -> tuple[str, ...]:
    """The Message-IDs of what the message answers, without brackets (RFC 5322 section 3.6.4)."""
    found: dict[str, None] = {}
    for name in ("in-reply-to", "references"):
        for field in message.named(name):
            ids = _MESSAGE_ID.findall(field.value[:8_192])
            found |= dict.fromkeys(ids[-MOST_ANSWERED:])
    return tuple(found)[:MOST_ANSWERED]
