"""How is a held message told to the one whom it is for? In one line each: from whom, about what, when, why.

What others wrote comes out harmless: one line, no character that is not seen or turns the direction, cut.
"""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Final

from mailreeve.families.digest.links import Act
from mailreeve.formats.addresses import MAX_ADDRESS_OCTETS, Address
from mailreeve.formats.authors import read_authors
from mailreeve.formats.header_text import harmless

MOST_SUBJECT: Final = 120  # characters
MOST_FROM: Final = 120
MOST_WHY: Final = 160

NO_SUBJECT: Final = "(no subject)"
NO_SENDER: Final = "(no sender)"

ACT_LABELS: Final = {Act.RELEASE: "Release", Act.PERMIT: "Permit sender", Act.BLOCK: "Block sender"}


def act_words(act: Act, sender: str) -> str:
    """What an act would do, for whoever decides; `sender` is whom it would permit or block."""
    match act:
        case Act.RELEASE:
            return "Deliver this message"
        case Act.PERMIT:
            return f"Deliver this message, and permit mail from {address_of(sender)} from now on"
        case Act.BLOCK:
            return f"Remove this message, and refuse mail from {address_of(sender)} from now on"


def address_of(sender: str) -> str:
    """An address in one line: those of RFC 6531 may hold what turns the direction."""
    return harmless(sender, MAX_ADDRESS_OCTETS)


def subject_of(text: str) -> str:
    """The subject in one line."""
    return harmless(text, MOST_SUBJECT) or NO_SUBJECT


def from_of(name: str, header_from: str, sender: str) -> str:
    """Whom the message says that it is from: by its header, which may be its address alone, or by its envelope."""
    written = f"{name} <{header_from}>" if name and header_from and name not in header_from else header_from
    return harmless(written, MOST_FROM) or harmless(sender, MOST_FROM) or NO_SENDER


def why_of(cause: str, description: str) -> str:
    """Why it is held: by which sort of rule, which is a `Layer`, and the text of the policy where it has one."""
    rule = cause.replace("_", " ")
    said = harmless(description, MOST_WHY)
    return f"{rule}: {said}" if said else rule


def when_of(moment: datetime, zone: tzinfo) -> str:
    """When it came, in this zone."""
    return f"{moment.astimezone(zone):%a %d %b %Y, %H:%M %Z}"


def listed_as(header_from: str, sender: str) -> str:
    """Under which address personal lists have its sender: the one that the reader sees, where there is just one,
    or else that of the envelope; empty where there is none. An entry is compared with both (behaviour.md section
    4.2), and the envelope of a mailing changes with each message."""
    authors = read_authors([header_from]) if header_from else ()
    seen = [author.address for author in authors]
    if len(seen) == 1 and isinstance(seen[0], Address):
        return str(seen[0])
    return sender
