"""What can be done with personal lists: validate, change, audit (behaviour.md section 4, D-18, D-19)."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from mailreeve.families.directory.domains import rows as domains
from mailreeve.families.directory.domains.errors import not_managed
from mailreeve.families.directory.users import operations as users
from mailreeve.families.machinery.call import Call
from mailreeve.families.managed_senders import rows
from mailreeve.families.managed_senders.errors import MANAGED_SENDER_LIMIT
from mailreeve.families.managed_senders.rows import ManagedSenderRow
from mailreeve.formats.addresses import AddressError, parse_domain, without_tags
from mailreeve.policy.model.policies import ManagedAction
from mailreeve.policy.model.policy_types import POLICY_TYPES, PolicyType
from mailreeve.wire import fields
from mailreeve.wire.errors import BAD_ADDRESS, refused

KIND: Final = POLICY_TYPES[PolicyType.MANAGED_SENDERS].kind


def permit_or_block(call: Call, sender: str, to: str, action: ManagedAction) -> ManagedSenderRow:
    """The recipient's entry for the sender: a new one, or the one there is, moved to the other list (D-19).

    An entry that says so already stays as it is, and nothing is recorded. Raises `ItemRefused`.
    """
    matched = _sender(call, sender)
    recipient = _recipient(call, to)
    old = rows.find(call.work, recipient, matched)
    if old is None:
        return _add(call, recipient, matched, sender, action)
    if old.action is action:
        return old
    row = rows.change(call.work, old, action)
    call.work.changed(PolicyType.MANAGED_SENDERS, "update", KIND, row.id, before=old, after=row)
    return row


def join_lists(call: Call, address: str, owner: str, field: str) -> None:
    """Put the entries kept for an address into the list of the user who now has it, see `AddressJoined`.

    Where both have one for a sender, the one that changed last stays and the other goes (D-19). A list does not
    grow beyond its limit this way either. Raises `ItemRefused` naming `field`.
    """
    work = call.work
    joining = rows.of_recipient(work, address)
    if not joining:
        return
    held = {row.sender: row for row in rows.of_recipient(work, owner)}
    size = len(held.keys() | {row.sender for row in joining})
    most = call.limits.managed_senders_per_user
    if size > max(most, len(held)):
        message = f"{MANAGED_SENDER_LIMIT.message}: with the entries of the alias it would hold {size} of {most}"
        raise refused(MANAGED_SENDER_LIMIT, field, message)
    both = [(row, held[row.sender]) for row in joining if row.sender in held]
    gone = {row.id: row for row in (min(rivals, key=changed_later) for rivals in both)}
    rows.remove(work, list(gone))
    rows.hand_over(work, address, owner)
    for row in gone.values():
        work.changed(PolicyType.MANAGED_SENDERS, "delete", KIND, row.id, before=row)
    for row in joining:
        if row.id not in gone:
            moved = msgspec.structs.replace(row, recipient=owner)
            work.changed(PolicyType.MANAGED_SENDERS, "update", KIND, row.id, before=row, after=moved)


def changed_later(row: ManagedSenderRow) -> tuple[int, datetime, bool]:
    """When the entry was changed last: by revision, which no clock sets back (D-50). Of two of one instant a block
    comes later."""
    return row.changed_in, row.updated_at, row.action is ManagedAction.BLOCK


def _add(call: Call, recipient: str, matched: str, shown: str, action: ManagedAction) -> ManagedSenderRow:
    most = call.limits.managed_senders_per_user
    if rows.count(call.work, recipient) >= most:
        raise refused(MANAGED_SENDER_LIMIT, "to", f"{MANAGED_SENDER_LIMIT.message}: it holds {most} of {most}")
    row = rows.add(call.work, recipient, matched, shown, action)
    call.work.changed(PolicyType.MANAGED_SENDERS, "create", KIND, row.id, after=row)
    return row


def _recipient(call: Call, text: str) -> str:
    """Under which key the list of this internal recipient is kept: where decisions look for it (`list_key`), so
    that aliases lead to the user and a `+tag` is ignored (D-18). Asked of the rows, which know an alias that
    was given in this transaction."""
    address = fields.address(text, "to")
    if domains.find(call.work, address.domain) is None:
        raise not_managed(address.domain, "to")
    user = users.reached(call.work, address)
    return user.key if user is not None else [address.key, *without_tags(address.key)][-1]


def _sender(call: Call, text: str) -> str:
    """What an entry matches: an address's key with its `+tag`, or a bare domain (D-18).

    A word without a dot is no domain but a mistyped address, as the live service sees it (api.md section 1.4);
    with an `@` in front it is one that no sender has (see `fields.mail_domain`), unless it is the account's own.
    """
    if "*" in text:
        # Legal in a local part, but whoever writes it means a pattern, and there are none here.
        raise refused(BAD_ADDRESS, "sender", f"{BAD_ADDRESS.message}: there are no wildcards; name a domain alone")
    local, at, domain = text.rpartition("@")
    if local:
        return fields.address(text, "sender").key
    try:
        found = parse_domain(domain)
    except AddressError as problem:
        raise refused(BAD_ADDRESS, "sender") from problem
    single = "." not in found and not domain.endswith(".")
    if (not at and single) or found.rpartition(".")[2].isdecimal():
        # A name that ends in digits is an IP address, which no sender's domain can be (RFC 1123 section 2.1).
        raise refused(BAD_ADDRESS, "sender")
    if single and domains.find(call.work, found) is None:
        message = f"{BAD_ADDRESS.message}: no sender is at {text}; if that is meant, write {text}."
        raise refused(BAD_ADDRESS, "sender", message)
    return found
