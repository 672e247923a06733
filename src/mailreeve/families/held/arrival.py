"""What is kept of a copy that is to be held? A row for each recipient, with what lists show of it.

A stranger decides how much of it there is, so an account has a bound, in copies and in octets; beyond it the
sender is told to try again later.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from msgspec import Struct

from mailreeve.families.directory.domains import rows as domains
from mailreeve.families.directory.users import operations as users
from mailreeve.families.held import rows
from mailreeve.families.held.limits import HoldLimits, NoRoom
from mailreeve.families.held.rows import HeldGroup, HeldState
from mailreeve.families.machinery.copies import HeldCopy
from mailreeve.families.tracking.outcomes import LAYER_NEXT_HOP
from mailreeve.formats.addresses import Address, Sender
from mailreeve.formats.authors import HeaderFrom, read_authors
from mailreeve.formats.message import Message, Pieces, read_message
from mailreeve.formats.sensitivity import is_private
from mailreeve.policy.model.policy_types import Layer
from mailreeve.store.keys import new_key
from mailreeve.store.transactions import Work

MAX_NAME: Final = 128

_LOOKED_AT: Final = 4 << 20
"""Octets of a body in which attachments are looked for. One that is longer has some: no text is."""

_ATTACHED: Final = re.compile(
    rb"\n[Cc][Oo][Nn][Tt][Ee][Nn][Tt]-[Dd][Ii][Ss][Pp][Oo][Ss][Ii][Tt][Ii][Oo][Nn]:\s{0,16}[Aa][Tt][Tt][Aa][Cc][Hh]"
)
_WITHOUT_ATTACHMENTS: Final = ("text/plain", "text/html", "multipart/alternative")

GROUPS: Final[Mapping[str, HeldGroup]] = {
    # By the layer that holds. Spam is a nuisance that its recipient can judge; who is impersonated cannot.
    "spam": HeldGroup.USER,
    "anti_spoofing": HeldGroup.MODERATOR,
    "malformed": HeldGroup.ADMINISTRATOR,
}


class Arrived(Struct, frozen=True):
    """A copy that is to be held, read once: before anybody who writes has to wait for it."""

    held: HeldCopy
    header: bytes
    author: HeaderFrom | None
    to: HeaderFrom | None
    size: int
    has_attachments: bool
    is_private: bool


def read(held: HeldCopy) -> Arrived:
    """A copy with what its list shows of it. Takes whatever a stranger wrote."""
    content = held.copy.content
    message = read_message(content.header)
    first = next(message.named("to"), None)
    to = () if first is None else read_authors([first.value])
    return Arrived(
        held,
        rows.packed(content.header),
        next(iter(read_authors(message.authors())), None),
        next(iter(to), None),
        len(content.header) + sum(map(len, content.body)),
        _has_attachments(message, content.body),
        is_private(message),
    )


def keep(work: Work, arrived: Sequence[tuple[Arrived, str]], limits: HoldLimits) -> None:
    """Hold copies, each with the key of its body. Raises `NoRoom`, and nothing is kept."""
    if not arrived:
        return
    known: dict[str, bool] = {}
    added = [row for one, body in arrived for row in _rows_of(work, one, body, timedelta(days=limits.days), known)]
    require_room(work, [one for one, _ in arrived], limits)
    rows.insert_rows(work, added)


def require_room(work: Work, arrived: Sequence[Arrived], limits: HoldLimits) -> None:
    """Raises `NoRoom` where the account could not hold these."""
    taken = rows.room_taken(work)
    copies = taken.copies + sum(len(one.held.copy.recipients) for one in arrived)
    octets = taken.octets + sum(len(one.held.copy.recipients) * _octets(one) for one in arrived)
    if copies > limits.copies or octets > limits.octets:
        raise NoRoom(
            f"the account holds {taken.copies} copies of {limits.copies}, {taken.octets} octets of {limits.octets}"
        )


def _octets(one: Arrived) -> int:
    """What is taken to keep it for one recipient: of the body, which they share, a part."""
    copy = one.held.copy
    return len(one.header) + (one.size - len(copy.content.header)) // len(copy.recipients)


def keep_undeliverable(work: Work, arrived: Arrived, body: str, limits: HoldLimits, why: str) -> None:
    """Hold a copy that was taken, and that the next hop does not take: for the administrators, since its recipient
    may be nobody. It is held whatever the limits say: it was acknowledged."""
    made = _rows_of(work, arrived, body, timedelta(days=limits.days), {})
    about = {"cause": LAYER_NEXT_HOP, "held_group": HeldGroup.ADMINISTRATOR, "decided_at": work.now, "reason": why}
    rows.insert_rows(work, [row | about for row in made])


def _rows_of(
    work: Work, one: Arrived, body: str, lasts: timedelta, known: dict[str, bool]
) -> list[dict[str, object]]:
    held, copy = one.held, one.held.copy
    received = datetime.fromtimestamp(held.received_at, UTC)
    made: list[dict[str, object]] = []
    for to in copy.recipients:
        owner = users.reached(work, to.effective)
        group = HeldGroup.ADMINISTRATOR if owner is None else group_of(held.cause.layer)
        made.append(
            {
                "account_id": work.account_id,
                "id": new_key(),
                "received_at": received,
                "expires_at": work.now + lasts,
                "state": HeldState.HELD,
                "held_group": group,
                "owner_id": "" if owner is None else owner.id,
                "route": _route(work, copy.sender, to.original, known),
                "decision_id": copy.decision_id,
                "sender": str(copy.sender),
                "recipient": str(to.original),
                "effective_recipient": str(to.effective),
                "header_from": held.header_from or _address(one.author),
                "header_from_name": _name(one.author),
                "header_to": _address(one.to),
                "header_to_name": _name(one.to),
                "subject": held.subject,
                "size": one.size,
                "has_attachments": one.has_attachments,
                "is_private": one.is_private,
                "cause": held.cause.layer.value,
                "policy_id": held.cause.policy_id,
                "description": held.cause.description,
                "source_ip": held.source_ip,
                "is_utf8": copy.is_utf8,
                "decided_at": None,
                "decided_by": "",
                "reason": "",
                "asked_at": None,
                "asked_by": "",
                "asked_why": "",
                "octets": _octets(one),
                "body": body,
                "header": one.header,
            }
        )
    return made


def group_of(layer: Layer) -> HeldGroup:
    """Who decides about what a layer holds: whatever is not known to be harmless is the administrators'."""
    return GROUPS.get(layer.value, HeldGroup.ADMINISTRATOR)


def _route(work: Work, sender: Sender, recipient: Address, known: dict[str, bool]) -> str:
    def is_own(address: Address) -> bool:
        if address.domain not in known:
            known[address.domain] = domains.find(work, address.domain) is not None
        return known[address.domain]

    from_us = isinstance(sender, Address) and is_own(sender)
    if is_own(recipient):
        return "internal" if from_us else "inbound"
    return "outbound" if from_us else "external"


def _address(one: HeaderFrom | None) -> str:
    return "" if one is None or one.address is None else str(one.address)


def _name(one: HeaderFrom | None) -> str:
    return "" if one is None else one.display_name[:MAX_NAME]


def _has_attachments(message: Message, body: Pieces) -> bool:
    field = next(message.named("content-type"), None)
    kind = "text/plain" if field is None else field.value.strip().partition(";")[0].strip().lower()
    if not kind.startswith("multipart/"):
        return kind not in _WITHOUT_ATTACHMENTS
    if kind == "multipart/alternative":
        return False
    left, end = _LOOKED_AT, b""
    for piece in body:
        if _ATTACHED.search(end + piece[:left]):
            return True
        left, end = left - len(piece), piece[-64:]
        if left <= 0:
            return True
    return False
