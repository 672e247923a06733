"""To whom does a user write most? Counted in the records of mail that came from the user's own mailbox.

A sender is easily forged, so only mail counts that came from within the relay networks and was accepted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from mailreeve.access.permissions import Permission
from mailreeve.families.directory.users import rows as users
from mailreeve.families.machinery.call import Call
from mailreeve.families.tracking import rows
from mailreeve.families.tracking.outcomes import Outcome, State
from mailreeve.families.tracking.terms import lowered
from mailreeve.formats.networks import parse_ip
from mailreeve.wire.endpoint import endpoint

MOST_CONTACTS: Final = 25
MOST_LOOKED_AT: Final = 5_000  # records, the newest, of each address

_WENT: Final = frozenset({State.ACCEPTED, State.DELIVERED})


class OfCaller(Struct, frozen=True):
    """An item of which nothing is read: it is about whoever calls."""


class Contact(Struct, frozen=True, rename="camel"):
    """An address that the caller wrote to: how often, and by which name it is known here, empty for none."""

    email_address: str
    name: str
    count: int


class Contacts(Struct, frozen=True):
    """Those whom the caller writes to most, the most frequent first."""

    contacts: Sequence[Contact]


@endpoint("user/get-most-used-contacts", Permission.ACCOUNT_DASHBOARD_READ, own=True, most=1)
def get_most_used_contacts(call: Call, item: OfCaller) -> Contacts:
    """Tell whom the caller writes to most, of late."""
    # An application has no mailbox, and keys that were made for less open none.
    user = users.find(call.work, call.caller.user_id)
    if user is None or not call.caller.in_person:
        return Contacts(())
    own = {lowered(key) for key in users.keys_of(call.work, user.id)}
    counted: Counter[str] = Counter()
    for one in rows.sent_by(call.work, sorted(own), MOST_LOOKED_AT):
        if one.state in _WENT and not one.follows and lowered(one.sender) in own and _is_from_within(call, one):
            counted[lowered(one.recipient)] += 1
    for key in own:
        del counted[key]
    most = sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))[:MOST_CONTACTS]
    names = users.names(call.work, [address for address, _ in most])
    return Contacts([Contact(address, names.get(address, ""), number) for address, number in most])


def _is_from_within(call: Call, one: Outcome) -> bool:
    """Whether the mail came from the relay networks, as its door had it, or else by its address."""
    if one.source_trusted is not None:
        return one.source_trusted
    source = parse_ip(one.source_ip) if one.source_ip else None
    return source is not None and source in call.policies.relay_networks
